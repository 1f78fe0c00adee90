// Package console tests the web console as people use it: in a real browser, over real HTTP.
package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

var (
	browser context.Context // of the one Chromium of all tests
	axe     string          // the source of axe-core
	shots   = os.Getenv("CONSOLE_SHOTS")
	results = &table{}
)

// axeFile is where scripts/ensure-tools puts axe-core.
const axeFile = "../../.cache/axe-core/axe.min.js"

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	source, err := os.ReadFile(filepath.FromSlash(axeFile))
	if err != nil {
		return 0, fmt.Errorf("axe-core is missing; run scripts/ensure-tools: %w", err)
	}
	axe = string(source)
	dir, err := os.MkdirTemp("", "sallyport-chromium-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, stop := startBrowser(dir)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return 0, fmt.Errorf("cannot start Chromium; run scripts/ensure-tools: %w", err)
	}
	browser = ctx
	code = m.Run()
	results.print()
	return code, nil
}

// table is what the pages measured.
type table struct {
	lock       sync.Mutex
	looks      int
	violations int
	shifts     float64
	rows       []string
}

func (r *table) add(violations int) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.looks++
	r.violations += violations
}

func (r *table) shifted(_ string, shift float64) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.shifts = max(r.shifts, shift)
}

func (r *table) row(format string, args ...any) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.rows = append(r.rows, fmt.Sprintf(format, args...))
}

func (r *table) print() {
	slices.Sort(r.rows)
	fmt.Printf("axe-core: %d violations in %d looks at pages; largest layout shift %.3f\n%s\n", r.violations, r.looks, r.shifts, strings.Join(r.rows, "\n"))
}
