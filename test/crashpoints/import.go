package crashpoints

import (
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"slices"

	"github.com/sallyport/sallyport/test/ledger"
)

// dieImporting kills an import from the host to a new one. Run again it must come to its end: then the target holds what
// the source does, and nothing twice.
func (h *host) dieImporting(d Death) error {
	s, err := h.revived("")
	if err != nil {
		return err
	}
	n, err := h.newHost()
	if err != nil {
		return errors.Join(err, s.stop())
	}
	return errors.Join(n.importFrom(h, d), n.close(), s.stop())
}

func (h *host) importFrom(from *host, d Death) error {
	s, err := h.start("")
	if err != nil {
		return err
	}
	if ready, err := s.ready(); err != nil || !ready {
		return errors.Join(errors.New("the target did not start"), err)
	}
	if h.ledger, err = ledger.Bootstrap(s.known()); err == nil {
		state := h.fresh("import")
		err = dies(h.importing(from, d.at(), state))
		if err == nil {
			if out, again := h.importing(from, "", state).CombinedOutput(); again != nil {
				err = fmt.Errorf("the import did not go on: %w: %s", again, out)
			}
		}
		if err == nil {
			err = alike(from.db, h.db)
		}
	}
	return errors.Join(err, s.stop(), h.doctor())
}

// importing is an import that dies at a point unless that is "".
func (h *host) importing(from *host, at, state string) *exec.Cmd {
	theirs, _ := from.ledger.Admin()
	own, _ := h.ledger.Admin()
	cmd := h.command(at, "import", "infisical", "--state", state)
	cmd.Env = append(cmd.Env, "SALLYPORT_IMPORT_URL=http://"+from.address, "SALLYPORT_IMPORT_TOKEN="+theirs,
		"SALLYPORT_DOMAIN=http://"+h.address, "SALLYPORT_TOKEN="+own)
	return cmd
}

// alike compares what two servers have of each kind, by its name.
func alike(source, target *sql.DB) error {
	for _, query := range []string{
		`SELECT name FROM identities`, `SELECT slug FROM projects`, `SELECT slug FROM environments`, `SELECT path FROM folders`,
		`SELECT key FROM secrets`, `SELECT method FROM auth_configs`, `SELECT scope FROM memberships`,
	} {
		want, err := column(source, query)
		if err != nil {
			return err
		}
		got, err := column(target, query)
		if err != nil {
			return err
		}
		if !slices.Equal(want, got) {
			return fmt.Errorf("%s: the source has %q, the target %q", query, want, got)
		}
	}
	return nil
}

// column returns what a query finds, in order.
func column(db *sql.DB, query string) (all []string, err error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all, rows.Err()
}
