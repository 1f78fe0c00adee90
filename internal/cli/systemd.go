//go:build !windows

package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notify tells systemd about a state, where it started the server.
func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("cannot tell systemd about the state of the server", "error", err)
	}
}

// watchdog tells systemd that the server lives until ctx ends, twice in the time after which systemd would kill it.
func watchdog(ctx context.Context, log *slog.Logger) {
	within, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog of systemd cannot be used", "error", err)
	}
	if err != nil || within == 0 {
		return
	}
	every := time.NewTicker(within / 2)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			notify(log, daemon.SdNotifyWatchdog)
		}
	}
}

// onHangUp calls reload for each SIGHUP until ctx ends.
func onHangUp(ctx context.Context, log *slog.Logger, reload func()) {
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	defer signal.Stop(hangUp)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangUp:
			notify(log, daemon.SdNotifyReloading)
			reload()
			notify(log, daemon.SdNotifyReady)
		}
	}
}
