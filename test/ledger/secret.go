package ledger

import (
	"net/http"
	"slices"
	"strconv"
)

// note is the secret that one worker alone changes. Its values are numbers that grow, so that a lost write shows.
type note struct {
	path     string
	acked    int   // the value that was acknowledged last
	inDoubt  []int // those that were asked for since, without an answer
	lastUsed int
}

// may reports whether the secret may have a value.
func (n *note) may(value int) bool { return value == n.acked || slices.Contains(n.inDoubt, value) }

func (l *Ledger) place(more map[string]any) map[string]any {
	body := map[string]any{"projectId": l.project, "environment": "dev", "secretPath": "/"}
	for name, v := range more {
		body[name] = v
	}
	return body
}

// write gives the worker's secret a new value.
func (w *worker) write() bool {
	l, n := w.ledger, w.own.secret
	var value int
	l.do(func() {
		n.lastUsed++
		value = n.lastUsed
		n.inDoubt = append(n.inDoubt, value)
	})
	body := l.place(map[string]any{"secretValue": strconv.Itoa(value)})
	return w.ask(http.MethodPatch, n.path, l.admin, body, func(a answer) {
		if a.status != http.StatusOK {
			l.contradict("a secret could not be written: %v", a)
			return
		}
		n.acked, n.inDoubt = value, nil
	})
}

// read compares the worker's secret with what it must be. What is read once stays.
func (w *worker) read() bool {
	l, n := w.ledger, w.own.secret
	path := n.path + "?projectId=" + l.project + "&environment=dev&secretPath=/"
	return w.ask(http.MethodGet, path, l.admin, nil, func(a answer) {
		var found struct {
			Secret struct {
				Value string `json:"secretValue"`
			} `json:"secret"`
		}
		if err := a.read(&found); err != nil || a.status != http.StatusOK {
			l.contradict("a secret could not be read: %v", a)
			return
		}
		value, err := strconv.Atoi(found.Secret.Value)
		if err != nil || !n.may(value) {
			l.contradict("the secret %s is %q; %d was acknowledged, %v are in doubt", n.path, found.Secret.Value, n.acked, n.inDoubt)
			return
		}
		n.acked, n.inDoubt = value, nil
	})
}
