package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// manyTokensOfOne are tokens made by hand, all of one identity.
var manyTokensOfOne = subject{"tokens of one identity", 10_000_000, 1,
	func(at *stage) error {
		err := at.withIdentity()
		if err != nil {
			return err
		}
		return at.fillBeside(at.tokens("'"+at.identity+"'", at.n), at.count("'"+at.identity+"'", at.n, 1))
	},
	func(at *stage) error {
		return errors.Join(
			at.listTokens("first page of 20", 0, at.n),
			at.listTokens("page in the middle, by offset", at.n/2, at.n),
			at.listTokens("last page, by offset", at.n-20, at.n),
			at.revokeSome(func(k int64) int64 { return 1 + k*(at.n/revokes) }),
			at.detach())
	},
	func(c *cleaner) error { return c.clean("expired tokens", c.tokens.Clean) },
}

// tokensEach is how many tokens each of many identities has.
const tokensEach = 100

// withIdentity makes the identity that is asked about.
func (at *stage) withIdentity() (err error) {
	at.identity, err = at.s.identityWithTokenAuth("measured")
	return err
}

// tokens are n live tokens that were made in the last twelve days, of the identity that SQL over n.i says.
func (at *stage) tokens(identity string, n int64) filling {
	return filling{table: "access_tokens", rows: n, columns: `id, identity_id, org_id, method, name, ttl, max_ttl, period, uses,
		uses_limit, born, revoked, expires_at, created_at, updated_at`,
		values: fmt.Sprintf(`%s, %s, '%s', 'token-auth', 'worker ' || i, 2592000, 2592000, 0, 0, 0, 0, FALSE,
		$now + 2592000000 - 100 * ($rows - i), $now - 100 * ($rows - i), $now`, at.store.madeUp(tokenID, "i"), identity, at.s.org)}
}

// count says how many tokens each of some identities has.
func (at *stage) count(identity string, total, identities int64) filling {
	return filling{table: "token_counts", rows: identities, columns: "identity_id, method, total",
		values: fmt.Sprintf("%s, 'token-auth', %d", identity, total)}
}

// listTokens lists those of the identity, which has so many, at the offset of a page.
func (at *stage) listTokens(page string, offset, total int64) error {
	ms, err := at.s.list(at.identity, offset, total)
	at.note("list tokens: "+page, "ms", ms)
	return err
}

// revokes is how many tokens are revoked one after the other.
const revokes = 20

// revokeSome revokes the tokens of the numbers that nth tells.
func (at *stage) revokeSome(nth func(k int64) int64) error {
	return at.several("revoke a token by its id", revokes, none, func(k int64) []byte {
		return request("POST", "/api/v1/auth/token-auth/tokens/"+madeUp(tokenID, nth(k))+"/revoke", at.s.token, "")
	})
}

// detach takes Token Auth from the identity, which kills all its tokens, and attaches it again before the next time.
func (at *stage) detach() error {
	path := "/api/v1/auth/token-auth/identities/" + at.identity
	attach := func(k int64) error {
		if k == 0 {
			return nil
		}
		return at.s.post(path, "{}", &struct{}{})
	}
	return at.several("revoke all tokens of an identity (detach)", rounds, attach, func(int64) []byte {
		return request("DELETE", path, at.s.token, "")
	})
}

// none is what is to be done before requests that need nothing.
func none(int64) error { return nil }

// several sends requests one after the other, and notes the median wait for their answers.
func (at *stage) several(what string, times int64, before func(k int64) error, nth func(k int64) []byte) error {
	c, err := dial(at.s.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	waits := make([]float64, times)
	for k := range times {
		if err := before(k); err != nil {
			return err
		}
		ask, begin := nth(k), time.Now()
		if _, err := c.do(ask); err != nil {
			return err
		}
		waits[k] = milliseconds(time.Since(begin))
	}
	at.note(what, "ms", median(waits))
	return nil
}

// waitFor is how long one sort of request is repeated at least, and waitTimes how often.
const (
	waitFor   = 200 * time.Millisecond
	waitTimes = 3
)

// wait notes how long one caller waits for the answer to a request: the median of some. The answer must hold a mark so many
// times, or more often.
func (at *stage) wait(what, method, path, body, mark string, least int) error {
	c, err := dial(at.s.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	ask := request(method, path, at.s.token, body)
	var waits []float64
	for begin := time.Now(); time.Since(begin) < waitFor || len(waits) < waitTimes; {
		start := time.Now()
		answer, err := c.do(ask)
		if err != nil {
			return err
		}
		waits = append(waits, milliseconds(time.Since(start)))
		if bytes.Count(answer, []byte(mark)) < least {
			return fmt.Errorf("%s %s: fewer than %d times %s in %.300s", method, path, least, mark, answer)
		}
	}
	at.note(what, "ms", median(waits))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
