package secret

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// How much one step of Reseal takes: few rows, so that other writers never wait long, and few bytes, since it holds them.
const (
	resealRows  = 50
	resealBytes = 1 << 20
)

// version is what a version of a secret keeps sealed.
type version struct {
	inForce  bool // it stands in the secret's own row
	secretID string
	number   int64
	value    []byte
	comment  []byte
	metadata string
}

// Reseal seals some of what a retired key of a project sealed with the active one, and returns how many versions of
// secrets it found; 0: nothing is left. Versions, times and tags stay as they are. It is for who rotates the key, and has
// seen to it that the actor may.
func (s *Service) Reseal(ctx context.Context, projectID, keyID string) (int64, error) {
	some, err := s.sealedWith(ctx, keyID)
	if err != nil || len(some) == 0 {
		return 0, err
	}
	key, err := s.projects.FreshKey(ctx, s.db, projectID)
	if err != nil {
		return 0, err
	}
	for i := range some {
		v := &some[i]
		if err := v.reseal(box{key, projectID, v.secretID, v.number}); err != nil {
			return 0, err
		}
	}
	return int64(len(some)), s.db.Write(ctx, func(tx *sqldb.Tx) error {
		for _, v := range some {
			if err := v.store(ctx, tx, key.ID, keyID); err != nil {
				return err
			}
		}
		return nil
	})
}

// store writes a version as it is sealed now. One that was in force and is no more is left for the next step.
func (v *version) store(ctx context.Context, tx *sqldb.Tx, keyID, oldKeyID string) error {
	query := `UPDATE secret_versions SET value = $1, comment = $2, metadata = $3, project_key_id = $4
		WHERE secret_id = $5 AND version = $6 AND project_key_id = $7`
	if v.inForce {
		query = `UPDATE secrets SET value = $1, comment = $2, metadata = $3, project_key_id = $4
			WHERE id = $5 AND version = $6 AND project_key_id = $7`
	}
	_, err := tx.Exec(ctx, query, v.value, v.comment, v.metadata, keyID, v.secretID, v.number, oldKeyID)
	return err
}

// sealedWith reads some of what a key sealed, in an order in which two who do so at once do not wait for each other in a
// ring.
func (s *Service) sealedWith(ctx context.Context, keyID string) (some []version, err error) {
	rows, err := s.db.Query(ctx, `SELECT TRUE, id, version, value, comment, metadata FROM secrets WHERE project_key_id = $1
		UNION ALL SELECT FALSE, secret_id, version, value, comment, metadata FROM secret_versions WHERE project_key_id = $1
		ORDER BY 2, 3 LIMIT $2`, keyID, resealRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for size := 0; size < resealBytes && rows.Next(); {
		var v version
		if err := rows.Scan(&v.inForce, &v.secretID, &v.number, &v.value, &v.comment, &v.metadata); err != nil {
			return nil, err
		}
		size += len(v.value) + len(v.comment) + len(v.metadata)
		some = append(some, v)
	}
	return some, rows.Err()
}

// SealedWith returns how many versions of secrets are sealed with a key.
func (s *Service) SealedWith(ctx context.Context, keyID string) (n int64, err error) {
	return n, s.db.Get(ctx, &n, `SELECT (SELECT count(*) FROM secrets WHERE project_key_id = $1) +
		(SELECT count(*) FROM secret_versions WHERE project_key_id = $1)`, keyID)
}

// reseal opens what is sealed of a version and seals it anew.
func (v *version) reseal(b box) error {
	value, err := b.open("value", v.value)
	if err != nil {
		return err
	}
	comment, err := b.openComment(v.comment)
	if err != nil {
		return err
	}
	v.value, v.comment = b.seal("value", value), b.sealComment(comment)
	v.metadata, err = b.resealMetadata(v.metadata)
	return err
}

// resealMetadata seals the sealed pairs of the stored form anew, and leaves the others as they are.
func (b box) resealMetadata(text string) (string, error) {
	if text == "[]" {
		return text, nil
	}
	var stored []storedPair
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return "", err
	}
	for i, m := range stored {
		if m.Sealed == nil {
			continue
		}
		field := "metadata " + strconv.Itoa(i)
		plain, err := b.open(field, m.Sealed)
		if err != nil {
			return "", err
		}
		stored[i].Sealed = b.seal(field, plain)
	}
	fresh, err := json.Marshal(stored)
	return string(fresh), err
}
