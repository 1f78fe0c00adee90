package backup

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// errOther says that a log and a database do not belong together.
var errOther = errors.New("the log of revocations is from another installation, or from another branch of this one after a restore; name the right log, or none, which revokes every token")

// Apply brings into a restored database, in one transaction, what was taken back or used up since: its log of changes
// goes on where that of the lost database ended, so that a token of any time is judged as it was there. A log that is
// not of this installation, or older than the database, is refused.
func (l *Log) Apply(ctx context.Context, db *sqldb.DB) error {
	return db.Write(ctx, func(tx *sqldb.Tx) error {
		a := &applying{tx: tx, secrets: map[string]Used{}}
		if err := tx.Get(ctx, &a.head, `SELECT seq FROM feed_head WHERE id = 'head'`); err != nil {
			return err
		}
		if err := l.fits(ctx, a); err != nil {
			return err
		}
		if err := l.Each(func(e Entry) error { return a.entry(ctx, e) }); err != nil {
			return err
		}
		if err := a.endSecrets(ctx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE feed_head SET seq = $1 WHERE id = 'head'`, l.Head)
		return err
	})
}

// applying is a transaction that applies a log.
type applying struct {
	tx      *sqldb.Tx
	head    int64           // of the restored database
	secrets map[string]Used // by id: those that exist
}

// fits compares where both come from, and then how far they go: positions of two installations cannot be compared.
func (l *Log) fits(ctx context.Context, a *applying) error {
	var keys []string
	if err := a.tx.Select(ctx, &keys, `SELECT id FROM signing_keys`); err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(l.SigningKeys, key) }) {
		return errOther
	}
	if l.Head < a.head {
		return errors.New("the log of revocations ends before the backup was taken; write it from the newest database that exists, or name none, which revokes every token")
	}
	return nil
}

func (a *applying) entry(ctx context.Context, e Entry) error {
	switch {
	case e.Change != nil && e.Change.Seq <= a.head:
		return a.known(ctx, e.Change)
	case e.Change != nil:
		return a.change(ctx, e.Change)
	case e.Token != nil:
		_, err := a.tx.Exec(ctx, `UPDATE access_tokens SET uses = CASE WHEN uses > $1 THEN uses ELSE $1 END, revoked = revoked OR $2 WHERE id = $3`,
			e.Token.Uses, e.Token.Revoked, e.Token.ID)
		return err
	case e.Secret != nil:
		a.secrets[e.Secret.ID] = *e.Secret
	case e.Assertion != nil:
		_, err := a.tx.Exec(ctx, `INSERT INTO assertions (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, e.Assertion.ID, e.Assertion.ExpiresAt)
		return err
	}
	return nil
}

// known compares a change that both should have. One that the database has pruned is of no use any more.
func (a *applying) known(ctx context.Context, c *Change) error {
	var there []struct {
		Kind  string `db:"kind"`
		Key   string `db:"key"`
		Until int64  `db:"until"`
	}
	err := a.tx.Select(ctx, &there, `SELECT kind, key, until FROM change_log WHERE seq = $1`, c.Seq)
	if err == nil && len(there) > 0 && (there[0].Kind != c.Kind || there[0].Key != c.Key || there[0].Until != c.Until) {
		err = errOther
	}
	return err
}

// change writes a change that came after the backup, and marks the row of a revoked token, which lists show.
func (a *applying) change(ctx context.Context, c *Change) error {
	_, err := a.tx.Exec(ctx, `INSERT INTO change_log (seq, kind, key, until, at) VALUES ($1, $2, $3, $4, $5)`, c.Seq, c.Kind, c.Key, c.Until, c.At)
	if token, identity, two := strings.Cut(c.Key, " "); err == nil && c.Kind == "token" && two {
		_, err = a.tx.Exec(ctx, `UPDATE access_tokens SET revoked = TRUE WHERE id = $1 AND identity_id = $2`, token, identity)
	}
	return err
}

// endSecrets revokes the client secrets that were revoked or deleted since, and counts their uses.
func (a *applying) endSecrets(ctx context.Context) error {
	var ids []string
	if err := a.tx.Select(ctx, &ids, `SELECT id FROM client_secrets`); err != nil {
		return err
	}
	for _, id := range ids {
		now, exists := a.secrets[id]
		_, err := a.tx.Exec(ctx, `UPDATE client_secrets SET uses = CASE WHEN uses > $1 THEN uses ELSE $1 END, revoked = revoked OR $2 WHERE id = $3`,
			now.Uses, now.Revoked || !exists, id)
		if err != nil {
			return err
		}
	}
	_, err := a.tx.Exec(ctx, `UPDATE client_secrets SET ended_at = $1
		WHERE (revoked OR uses_limit > 0 AND uses >= uses_limit) AND (ended_at IS NULL OR ended_at > $1)`, a.tx.Now().UnixMilli())
	return err
}
