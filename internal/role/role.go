// Package role owns roles as they are defined: the built-in ones, and those that an organization or a project makes. It
// does not know who has them; member does.
package role

import (
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// Service keeps custom roles, and finds all roles.
type Service struct {
	db    *sqldb.DB
	feed  *feed.Feed
	audit *audit.Log
}

// New returns a service that tells replicas of changed roles through the feed.
func New(db *sqldb.DB, f *feed.Feed, log *audit.Log) *Service {
	return &Service{db: db, feed: f, audit: log}
}

// RulesCost is how many bytes of memory a byte of stored rules takes that are parsed and compiled.
const RulesCost = 12
