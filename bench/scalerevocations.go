package main

import "errors"

// manyRevoked are revocations of single tokens that must still be remembered, of tokens without rows.
var manyRevoked = subject{"live revocations", 1_000_000, 1,
	func(at *stage) error {
		err := at.withIdentity()
		if err != nil {
			return err
		}
		const live = 1000 // tokens that are not revoked
		return at.fillBeside(at.tokens("'"+at.identity+"'", live), at.count("'"+at.identity+"'", live, 1), at.revocations())
	},
	func(at *stage) error {
		return errors.Join(at.revokeSome(func(k int64) int64 { return 1 + k }), at.detach())
	},
	func(c *cleaner) error { return c.clean("old revocations", c.feed.Prune) },
}

// revocations of tokens of 5,000 identities, each to be remembered for up to 90 days. The log goes on after what the set-up
// wrote to it.
func (at *stage) revocations() filling {
	return filling{table: "change_log", rows: at.n, columns: "seq, kind, key, until, at",
		values: "(SELECT seq FROM feed_head) + i, 'token', " + at.store.madeUp(tokenID, "1000000000 + i") + " || ' ' || " +
			at.store.madeUp(identityID, "i % 5000") + ", $now + 3600000 + i * 7919 % 7776000000, $now",
		anew: "changes_by_until", after: "UPDATE feed_head SET seq = (SELECT max(seq) FROM change_log)"}
}
