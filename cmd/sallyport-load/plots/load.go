package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sallyport/sallyport/test/cluster"
)

// sweep is one line of a picture, or two.
type sweep struct {
	mix    string
	values string // rates or numbers of callers
}

// What is measured under load. Rates go past what two cores can do, so that the picture shows where it ends.
var (
	rates = []sweep{
		{"verify", "1000,2000,4000,8000,16000"},
		{"read", "500,1000,2000,4000,8000"},
		{"revoke", "250,500,1000,2000,4000"},
	}
	callers = []sweep{
		{"verify", "1,2,4,8,16,32,64"},
		{"read", "1,2,4,8,16,32,64"},
		{"create-token", "1,2,4,8,16,32,64"},
		{"revoke", "1,2,4,8,16,32,64"},
	}
)

// underLoad makes the pictures of latency and throughput of an installation.
func (p *plots) underLoad(s site) error {
	c, err := p.start(s)
	if err != nil {
		return err
	}
	err = p.sweeps(c, s, "latency", "--rates", rates, "1200ms")
	if err == nil {
		err = p.sweeps(c, s, "throughput", "--callers", callers, "700ms")
	}
	return errors.Join(err, c.Close())
}

// sweeps measures all lines of a picture and draws it.
func (p *plots) sweeps(c *cluster.Cluster, s site, kind, over string, sweeps []sweep, duration string) error {
	var files []string
	for _, w := range sweeps {
		file := filepath.Join(p.dir, fmt.Sprintf("%s-%s-%s.json", s.name, kind, w.mix))
		files = append(files, file)
		fmt.Fprintf(os.Stderr, "\n%s: %s of %s\n", s.title, kind, w.mix)
		args := []string{"sweep", "--mix", w.mix, over, w.values, "--duration", duration, "--warm-up", "200ms", "--max-errors", "0.05", "--json", file}
		for _, r := range c.Replicas {
			args = append(args, "--url", "http://"+r.Addr)
		}
		if err := p.command(c.Admin, args...); err != nil {
			return err
		}
	}
	return p.draw(kind, map[string]string{"latency": "Latency over load", "throughput": "Throughput over callers"}[kind]+": "+s.title,
		kind+"-"+s.name+".svg", files)
}

func (p *plots) draw(kind, title, name string, files []string) error {
	return p.command("", append([]string{"plot", "--kind", kind, "--title", title, "--out", filepath.Join(p.out, name)}, files...)...)
}
