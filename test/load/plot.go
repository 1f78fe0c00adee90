package main

import (
	"os"

	"github.com/sallyport/sallyport/test/load/chart"
	"github.com/sallyport/sallyport/test/load/result"
)

type plotCmd struct {
	Kind  string   `enum:"latency,throughput,memory" required:"" help:"latency: p50 and p99 over the rate of open loops. throughput: answers a second over the callers of closed loops. memory: resident memory over the revoked tokens that the server holds."`
	Title string   `help:"Title of the picture."`
	Out   string   `short:"o" type:"path" required:"" placeholder:"FILE" help:"SVG file to write."`
	Files []string `arg:"" type:"existingfile" help:"Results of run or sweep."`
}

// Run draws results.
func (c *plotCmd) Run() error {
	results := make([]*result.Result, len(c.Files))
	for i, path := range c.Files {
		var err error
		if results[i], err = result.Read(path); err != nil {
			return err
		}
	}
	picture, err := chart.Draw(chart.Kind(c.Kind), c.Title, results)
	if err != nil {
		return err
	}
	return os.WriteFile(c.Out, picture, 0o644)
}
