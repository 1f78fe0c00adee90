package secret

import (
	"context"
	"strings"

	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/project"
)

// The data key of a project comes from memory, so it may be one that was rotated since: by another replica a moment ago, or
// by this one in the middle of a request. Nothing rests on hearing of it in time: what another key sealed has the id of that
// key beside it, and the database takes nothing that refers to a key which is gone.

// one reads a version of a secret that the key of the project opens; ErrNoRows if there is none.
func (r *projectScope) one(ctx context.Context, from project.Reader, query string, args ...any) (*row, error) {
	stored := &row{}
	ctx, err := foresee(ctx, from, query, args)
	if err == nil {
		err = from.Get(ctx, stored, query, args...)
	}
	if err == nil {
		err = r.learn(ctx, from, stored.KeyID)
	}
	return stored, err
}

// foresee has the account of a request use what reading secrets will take, where memory is scarce: a row is in memory before it
// can be counted. It returns the context to read with. Where there is enough memory, rows are counted as they are read.
func foresee(ctx context.Context, from project.Reader, query string, args []any) (context.Context, error) {
	account := limit.AccountOf(ctx)
	if !account.Scarce() || !strings.HasPrefix(query, "SELECT ") {
		return ctx, nil
	}
	var bytes int64
	err := from.Get(ctx, &bytes, `SELECT coalesce(sum(length(value) + length(metadata)), 0) FROM (`+query+`) AS found`, args...)
	if err == nil {
		err = account.Use(bytes * sqldb.RowCost)
	}
	return limit.Uncounted(ctx), err
}

// several reads versions of secrets that the key of the project opens.
func (r *projectScope) several(ctx context.Context, query string, args ...any) ([]row, error) {
	var rows []row
	ctx, err := foresee(ctx, r.from, query, args)
	if err == nil {
		err = r.from.Select(ctx, &rows, query, args...)
	}
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := r.learn(ctx, r.from, rows[i].KeyID); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// learn sees to it that the key of the project opens what the key of an id sealed.
func (r *projectScope) learn(ctx context.Context, from project.Reader, keyID string) error {
	if r.key.Opens(keyID) {
		return nil
	}
	fresh, err := r.projects.FreshKey(ctx, from, r.Project.ID)
	if err == nil {
		r.key = fresh
	}
	return err
}

// commit runs a change in the project of a folder, again if the key that it sealed with was rotated away before it was
// committed. The error of a folder that is gone has its words.
func (s *Service) commit(ctx context.Context, at *folderScope, change func(*feed.Tx) error) error {
	err := s.feed.Change(ctx, change)
	if !sqldb.IsForeignKey(err) {
		return err
	}
	fresh, failed := s.projects.FreshKey(ctx, s.db, at.Project.ID)
	if failed != nil {
		return failed
	}
	if fresh.ID != at.key.ID {
		at.key = fresh
		err = s.feed.Change(ctx, change)
	}
	return at.conflict(err)
}
