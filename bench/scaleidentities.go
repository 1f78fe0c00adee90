package main

import (
	"errors"
	"fmt"
)

// manyIdentities are identities of one organization with tokens made by hand. One of them is asked about.
var manyIdentities = subject{fmt.Sprintf("identities with up to %d tokens each", tokensEach), 100_000, tokensEach,
	func(at *stage) error {
		if err := at.withIdentity(); err != nil {
			return err
		}
		// The tokens were made in turns, as if all identities had grown together.
		other := at.store.madeUp(identityID, fmt.Sprintf("i %% %d", at.n))
		owner := fmt.Sprintf("CASE WHEN i %% %d = 1 THEN '%s' ELSE %s END", at.n, at.identity, other)
		counted := fmt.Sprintf("CASE WHEN i = 1 THEN '%s' ELSE %s END", at.identity, other)
		tokens := at.tokens(owner, at.n*at.each())
		tokens.anew = "access_tokens_by_identity"
		return at.fillBeside(append(at.identities(), tokens, at.count(counted, at.each(), at.n))...)
	},
	func(at *stage) error {
		return errors.Join(at.listIdentities(), at.listTokens("first page of 20", 0, at.each()),
			at.revokeSome(func(k int64) int64 { return k*at.n + 1 }), at.detach())
	},
	func(c *cleaner) error { return c.clean("expired tokens", c.tokens.Clean) },
}

// each is how many tokens each identity has: fewer in a run that is to be small.
func (at *stage) each() int64 { return min(tokensEach, max(at.most/at.n, revokes)) }

// identities are so many, with their memberships and roles. Number 1 has no tokens: the one that is asked about has its.
func (at *stage) identities() []filling {
	member, identity := at.store.madeUp(membershipID, "i"), at.store.madeUp(identityID, fmt.Sprintf("i %% %d", at.n))
	return []filling{
		{table: "identities", rows: at.n, columns: "id, org_id, name, delete_protection, created_at, updated_at",
			values: fmt.Sprintf("%s, '%s', 'service ' || i, FALSE, $now, $now", identity, at.s.org)},
		{table: "memberships", rows: at.n, columns: "id, scope, org_id, identity_id, active, created_at, updated_at",
			values: fmt.Sprintf("%s, 'organization', '%s', %s, TRUE, $now, $now", member, at.s.org, identity)},
		{table: "membership_roles", rows: at.n, columns: "id, membership_id, role, temporary, created_at, updated_at",
			values: fmt.Sprintf("%s, %s, 'member', FALSE, $now, $now", at.store.madeUp(roleID, "i"), member)},
	}
}

func (at *stage) listIdentities() error {
	const list, search, mark = "/api/v1/identities?limit=20&offset=", "/api/v1/identities/search", `"identityId"`
	return errors.Join(
		at.wait("list identities: first page of 20", "GET", list+"0", "", mark, 20),
		at.wait("list identities: last page, by offset", "GET", list+fmt.Sprint(at.n-20), "", mark, 20),
		at.wait("search identities: one by its name", "POST", search, `{"search":{"name":"service 777"}}`, mark, 1),
		at.wait("search identities: part of a name", "POST", search, `{"limit":20,"search":{"name":{"$contains":"ice 777"}}}`, mark, 1))
}
