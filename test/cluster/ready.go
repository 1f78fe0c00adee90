package cluster

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrEnded is what AwaitReady returns, wrapped, of a process that ended instead.
var ErrEnded = errors.New("the server ended instead of serving")

// AwaitReady returns nil when the server at an address says that it can work; an error when it has ended, or does not say so
// within some time.
func AwaitReady(address string, ended <-chan struct{}, within time.Duration) error {
	return await(address, "/readyz", ended, within)
}

// await is AwaitReady for any path that a server answers 200 on.
func await(address, path string, ended <-chan struct{}, within time.Duration) error {
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	poll, deadline := time.NewTicker(3*time.Millisecond), time.After(within)
	defer poll.Stop()
	for {
		response, err := client.Get("http://" + address + path)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %d", response.StatusCode)
		}
		select {
		case <-ended:
			return fmt.Errorf("%w: %w", ErrEnded, err)
		case <-deadline:
			return fmt.Errorf("the server has not answered as it should after %s: %w", within, err)
		case <-poll.C:
		}
	}
}
