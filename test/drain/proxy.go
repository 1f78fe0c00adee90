package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"
)

// proxy is one that operators put in front of replicas. Its configuration is that of docs/operations.md, without TLS.
type proxy struct {
	name    string
	command []string // after which CONFIG stands for the file
	config  string   // a template over .Listen and .Replicas
}

var proxies = []proxy{
	{"caddy", []string{"caddy", "run", "--adapter", "caddyfile", "--config", "CONFIG"}, `{
	admin off
	auto_https off
}
http://{{.Listen}} {
	reverse_proxy {{range .Replicas}}{{.}} {{end}}{
		health_uri /readyz
		health_interval 1s
		lb_try_duration 5s
		fail_duration 2s
		header_up X-Forwarded-For {remote_host}
	}
}
`},
	// Health checks alone, without a second try: the drain itself has to do it.
	{"checks", []string{"caddy", "run", "--adapter", "caddyfile", "--config", "CONFIG"}, `{
	admin off
	auto_https off
}
http://{{.Listen}} {
	reverse_proxy {{range .Replicas}}{{.}} {{end}}{
		health_uri /readyz
		health_interval 1s
	}
}
`},
	{"nginx", []string{"nginx", "-c", "CONFIG"}, `daemon off;
user root;
pid {{.Dir}}/nginx.pid;
error_log {{.Dir}}/nginx.log;
events {}
http {
	access_log off;
	upstream sallyport {
{{range .Replicas}}		server {{.}} max_fails=1 fail_timeout=2s;
{{end}}		keepalive 64;
	}
	server {
		listen {{.Listen}};
		client_max_body_size 8m;
		location / {
			proxy_pass http://sallyport;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $host;
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_read_timeout 60s;
			proxy_next_upstream error timeout http_503;
		}
	}
}
`},
	{"haproxy", []string{"haproxy", "-db", "-f", "CONFIG"}, `defaults
	mode http
	timeout connect 2s
	timeout client 60s
	timeout http-keep-alive 60s
frontend in
	bind {{.Listen}}
	default_backend sallyport
backend sallyport
	balance roundrobin
	option httpchk GET /readyz
	http-check expect status 200
	default-server check inter 1s fall 2 rise 1
	http-request del-header X-Forwarded-For
	option forwardfor
	option redispatch 1
	retry-on conn-failure
	timeout server 60s
{{range $i, $r := .Replicas}}	server r{{$i}} {{$r}}
{{end}}`},
}

// start starts the proxy in front of replicas, and returns its URL once requests come through, and how to end it.
func (p proxy) start(dir string, replicas []string) (url string, stop func() error, err error) {
	listen, err := free()
	if err != nil {
		return "", nil, err
	}
	var config bytes.Buffer
	values := map[string]any{"Listen": listen, "Replicas": replicas, "Dir": dir}
	if err := template.Must(template.New(p.name).Parse(p.config)).Execute(&config, values); err != nil {
		return "", nil, err
	}
	file := filepath.Join(dir, p.name+".conf")
	if err := os.WriteFile(file, config.Bytes(), 0o600); err != nil {
		return "", nil, err
	}
	args := strings.Split(strings.ReplaceAll(strings.Join(p.command, " "), "CONFIG", file), " ")
	var said bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("%w; install Caddy, nginx and HAProxy (Debian: apt-get install caddy nginx-light haproxy)", err)
	}
	stop = func() error { return errors.Join(cmd.Process.Signal(syscall.SIGTERM), ended(cmd.Wait())) }
	url = "http://" + listen
	if err := answers(url + "/readyz"); err != nil {
		return "", nil, errors.Join(err, stop(), errors.New(said.String()))
	}
	return url, stop, nil
}

// ended forgives a process that ended by the signal that it was sent.
func ended(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

func answers(url string) (err error) {
	for range 100 {
		var answer *http.Response
		if answer, err = http.Get(url); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("%s answers %s", url, answer.Status)
		}
		<-time.After(100 * time.Millisecond)
	}
	return err
}

func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
