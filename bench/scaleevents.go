package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/sallyport/sallyport/internal/audit"
)

// manyEvents are audit events of a year. Of a hundred actors each has one of a hundred; besides, there is one event of an
// actor who did nothing else, and one of a type that else never happened.
var manyEvents = subject{"audit events of a year", 1_000_000, 1,
	func(at *stage) error { return at.fillBeside(at.events()) },
	(*stage).queries,
	func(c *cleaner) error { return c.clean("old audit events", audit.New(c.db, 0).Prune) },
}

const day = 24 * time.Hour

// queried is the longest time that one query may span: 93 days.
const queried = 93 * day

// The actor and the type of event that are rare.
const (
	rareActor = "0fa57e00-0000-7000-8000-000000000001"
	rareType  = "delete-project"
)

// events lie evenly over the last year, less a day: none expires in the meantime. The rare ones lie a month back.
func (at *stage) events() filling {
	rare := func(n int) string { return fmt.Sprintf("i = $rows - $rows / 12 - %d", n) }
	when := fmt.Sprintf("$now - ($rows - i) * (%d / $rows)", (364 * day).Milliseconds())
	return filling{table: "audit_logs", rows: at.n, columns: `id, org_id, actor_type, actor_id, actor_metadata, event_type,
		event_metadata, ip, user_agent, user_agent_type, request_id, created_at, expires_at, position`,
		values: fmt.Sprintf(`%[1]s, '%[2]s', 'identity', CASE WHEN %[3]s THEN '%[4]s' ELSE %[5]s END,
		'{"authMethod":"token-auth","identityId":"0197b6a0-0000-7000-8000-000000000000","name":"service","tokenId":"0197b6a0-0000-7000-8000-000000000001"}',
		CASE WHEN %[6]s THEN '%[7]s' ELSE 'get-secret' END,
		'{"environment":"dev","secretPath":"/","secretId":"0197b6a0-0000-7000-8000-000000000002","secretKey":"SECRET_7","secretVersion":1}',
		'10.0.0.7', 'sallyport-go/1.0', 'other', %[1]s, %[8]s, %[8]s + %[9]d, i`, at.store.madeUp(eventID, "i"), at.s.org, rare(1), rareActor,
			at.store.madeUp(identityID, "i % 100"), rare(2), rareType, when, audit.DefaultRetention.Milliseconds()),
		after: "UPDATE audit_head SET position = (SELECT max(position) FROM audit_logs)"}
}

// queries ask for pages of 20.
func (at *stage) queries() error {
	now := time.Now()
	last := func(d time.Duration, more ...string) string { return span(now.Add(-d), now, more...) }
	yearAgo := span(now.Add(-364*day), now.Add(-363*day))
	middle := fmt.Sprint(at.n * int64(queried/day) / 364 / 2)
	const mark = `"userAgentType"`
	return errors.Join(
		at.wait("query 93 days: first page of 20", "GET", last(queried), "", mark, 20),
		at.wait("query 93 days: page in the middle, by offset", "GET", last(queried, "offset", middle), "", mark, 20),
		at.wait("query 93 days: an actor of a hundred", "GET", last(queried, "actor", madeUp(identityID, 7)), "", mark, 1),
		at.wait("query 93 days: an actor with one event", "GET", last(queried, "actor", rareActor), "", mark, 1),
		at.wait("query 93 days: a type with one event", "GET", last(queried, "eventType", rareType), "", mark, 1),
		at.wait("query the last day of a year", "GET", yearAgo, "", mark, 1))
}

// span is the query of the events between two times, with more parameters as names and values by turns.
func span(from, to time.Time, more ...string) string {
	q := url.Values{"startDate": {from.UTC().Format(time.RFC3339)}, "endDate": {to.UTC().Format(time.RFC3339)}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/api/v1/organization/audit-logs?" + q.Encode()
}
