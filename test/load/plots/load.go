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
	if err == nil && s.replicas > 1 {
		err = p.stale(c, s)
	}
	return errors.Join(err, c.Close())
}

// stale has tokens used at another replica right after their revoke, and fails if one is accepted.
func (p *plots) stale(c *cluster.Cluster, s site) error {
	fmt.Fprintf(os.Stderr, "\n%s: uses after a revoke\n", s.title)
	return p.command(c.Admin, append([]string{"run", "--mix", "revoke-then-use=20,mass-revoke=1", "--mass", "50", "--duration", "2s", "--warm-up", "0s",
		"--json", filepath.Join(p.dir, s.name+"-stale.json")}, addresses(c)...)...)
}

// addresses returns the replicas as flags.
func addresses(c *cluster.Cluster) (flags []string) {
	for _, r := range c.Replicas {
		flags = append(flags, "--url", "http://"+r.Addr)
	}
	return flags
}

// sweeps measures all lines of a picture and draws it.
func (p *plots) sweeps(c *cluster.Cluster, s site, kind, over string, sweeps []sweep, duration string) error {
	var files []string
	for _, w := range sweeps {
		file := filepath.Join(p.dir, fmt.Sprintf("%s-%s-%s.json", s.name, kind, w.mix))
		files = append(files, file)
		fmt.Fprintf(os.Stderr, "\n%s: %s of %s\n", s.title, kind, w.mix)
		args := []string{"sweep", "--mix", w.mix, over, w.values, "--duration", duration, "--warm-up", "200ms", "--max-errors", "0.05", "--json", file}
		if err := p.command(c.Admin, append(args, addresses(c)...)...); err != nil {
			return err
		}
	}
	return p.draw(kind, map[string]string{"latency": "Latency over load", "throughput": "Throughput over callers"}[kind]+": "+s.title,
		kind+"-"+s.name+".svg", files)
}

func (p *plots) draw(kind, title, name string, files []string) error {
	return p.command("", append([]string{"plot", "--kind", kind, "--title", title, "--out", filepath.Join(p.out, name)}, files...)...)
}
