package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// The numbers of tokens that lists are compared at.
const (
	manyTokens = 1_000_000
	someTokens = 1_000
)

// listFor is how long one round of a list lasts at least.
const listFor = 150 * time.Millisecond

// lists compares pages of the tokens of one identity that has a million of them with those of one that has a thousand.
func lists(b *bench) ([]line, error) {
	s, err := b.setUp()
	if err != nil {
		return nil, err
	}
	many, errMany := s.identityWithTokenAuth("many")
	some, errSome := s.identityWithTokenAuth("some")
	if err := errors.Join(errMany, errSome, s.stop()); err != nil {
		return nil, err
	}
	if err := errors.Join(b.fill(s.dir, tokenRows(s.org, many), manyTokens), b.fill(s.dir, tokenRows(s.org, some), someTokens)); err != nil {
		return nil, err
	}
	if s.process, err = b.serve(s.dir); err != nil {
		return nil, err
	}
	var table []line
	for _, page := range []struct {
		what  string
		from  func(total int64) int64
		times float64
	}{
		{"first page of 20", func(int64) int64 { return 0 }, 1.5},
		{"page in the middle (offset 500,000)", func(total int64) int64 { return total / 2 }, 0},
		{"last page (offset 999,980)", func(total int64) int64 { return total - 20 }, 0},
	} {
		c, err := compare(
			func() (float64, error) { return s.list(some, page.from(someTokens), someTokens) },
			func() (float64, error) { return s.list(many, page.from(manyTokens), manyTokens) })
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		table = append(table, line{what: "list tokens, 1,000,000 of one identity: " + page.what + " (floor: of 1,000)", unit: "ms",
			floor: c.floor, ours: c.ours, times: page.times})
	}
	c, err := compare(func() (float64, error) { return s.revokeAll(some) }, func() (float64, error) { return s.revokeAll(many) })
	return append(table, line{what: "revoke all tokens of an identity, 1,000,000 live (floor: 1,000)", unit: "ms",
		floor: c.floor, ours: c.ours, most: 50}), errors.Join(err, s.stop())
}

// revokeAll returns how many milliseconds it takes to revoke all tokens of an identity.
func (s *instance) revokeAll(identity string) (float64, error) {
	begin := time.Now()
	err := s.post("/api/v1/identities/"+identity+"/revoke-tokens", "{}", &struct{}{})
	return float64(time.Since(begin).Microseconds()) / 1000, err
}

// identityWithTokenAuth makes an identity and returns its id.
func (s *instance) identityWithTokenAuth(name string) (id string, err error) {
	var made struct{ Identity struct{ ID string } }
	err = s.post("/api/v1/identities", fmt.Sprintf(`{"name":%q,"organizationId":%q,"role":"member"}`, name, s.org), &made)
	if err == nil {
		err = s.post("/api/v1/auth/token-auth/identities/"+made.Identity.ID, "{}", &struct{}{})
	}
	return made.Identity.ID, err
}

// list returns how many milliseconds a page takes one caller.
func (s *instance) list(identity string, offset, total int64) (float64, error) {
	c, err := dial(s.addr)
	if err != nil {
		return 0, err
	}
	defer c.conn.Close()
	get := request("GET", fmt.Sprintf("/api/v1/auth/token-auth/identities/%s/tokens?offset=%d&limit=20", identity, offset), s.token, "")
	begin, n := time.Now(), 0
	for ; time.Since(begin) < listFor; n++ {
		page, err := c.do(get)
		if err != nil {
			return 0, err
		}
		if bytes.Count(page, []byte(`"isAccessTokenRevoked"`)) != 20 || !bytes.Contains(page, fmt.Appendf(nil, `"totalCount":%d`, total)) {
			return 0, fmt.Errorf("the page at offset %d of %d is not as it should be: %.300s", offset, total, page)
		}
	}
	return float64(time.Since(begin).Microseconds()) / 1000 / float64(n), nil
}

// tokenRows are texts that write $1 live tokens of an identity, the last one made at $2 and each a second after the one
// before.
func tokenRows(org, identity string) []string {
	return []string{
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO access_tokens (id, identity_id, org_id, method, name, ttl, max_ttl, period, uses, uses_limit, born, revoked,
			  expires_at, created_at, updated_at)
			SELECT lower(printf('%%08x-%%04x-7%%s-8%%s-%%s', i / 65536, i %% 65536, substr(hex(randomblob(2)), 1, 3),
			  substr(hex(randomblob(2)), 1, 3), hex(randomblob(6)))), '%s', '%s', 'token-auth', 'worker ' || i, 2592000, 2592000, 0, 0, 0, 0,
			  FALSE, $2 + 2592000000, $2 - 1000 * ($1 - i), $2 FROM n`, identity, org),
		fmt.Sprintf(`INSERT INTO token_counts (identity_id, method, total) SELECT '%s', 'token-auth', $1`, identity),
	}
}
