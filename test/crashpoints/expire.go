package crashpoints

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// expire puts rows of tokens into the database that expired long ago, so that cleaning up has something to do. The server
// must have been stopped in order: who opens a SQLite file after a crash takes its write-ahead log away.
func (h *host) expire() (err error) {
	driver, source := "pgx", h.url()
	if h.engine == SQLite {
		driver, source = "sqlite", "file:"+h.file()+"?_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after the commit this does nothing
	_, identity := h.ledger.Admin()
	const rows = 20
	for range rows {
		h.files++
		_, err := tx.Exec(`INSERT INTO access_tokens (id, identity_id, org_id, method, ttl, max_ttl, period, uses, uses_limit, born, revoked,
			expires_at, created_at, updated_at) SELECT $1, id, org_id, 'token-auth', 1, 1, 0, 0, 0, 0, FALSE, 1, 1, 1 FROM identities WHERE id = $2`,
			fmt.Sprintf("expired-%d", h.files), identity)
		if err != nil {
			return err
		}
	}
	_, err = tx.Exec(`UPDATE token_counts SET total = total + $1 WHERE identity_id = $2 AND method = 'token-auth'`, rows, identity)
	if err != nil {
		return err
	}
	return tx.Commit()
}
