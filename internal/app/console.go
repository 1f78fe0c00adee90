package app

import (
	"net/http"

	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/console"
)

// pages mounts the web console, or what tells that there is none.
func (a *App) pages(root *seal.Key, o Options) error {
	if !o.Config.Console {
		a.api.Mount("GET /{$}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write([]byte("This is the API of Sallyport. Its documentation is at /api/docs. The web console is turned off.\n")) // the caller may have gone
		}))
		return nil
	}
	pages, err := console.New(console.Options{API: a.api.Handler(), Root: root, Logger: o.Logger, Version: o.Version, PublicURL: o.Config.PublicURL, Now: o.Now})
	if err != nil {
		return err
	}
	for _, pattern := range console.Patterns() {
		a.api.Mount(pattern, pages)
	}
	return nil
}
