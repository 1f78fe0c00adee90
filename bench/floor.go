package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// floorCommand makes this program the floor of the read lines: a bare handler, in a process of its own as the server is.
const floorCommand = "serve-floor"

// canned is the answer that the floor gives to every request.
type canned struct {
	Addr   string
	Status int // 0 for 200
	Header http.Header
	Body   []byte
}

// serveFloor answers every request with the bytes that it is told on in, until it is ended. Its limits are the server's
// own (internal/cli), since they cost something too.
func serveFloor(in io.Reader, out io.Writer) error {
	var answer canned
	if err := json.NewDecoder(in).Decode(&answer); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", answer.Addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			for name, values := range answer.Header {
				h[name] = values
			}
			if answer.Status != 0 {
				w.WriteHeader(answer.Status)
			}
			_, _ = w.Write(answer.Body) // the caller may have gone
		}),
	}
	fmt.Fprintln(out, "serving")
	return server.Serve(listener)
}

// floorOf starts a floor that answers with the bytes that the server answers a request with.
func (b *bench) floorOf(server *process, request []byte) (*process, error) {
	answer, err := fetch(server.addr, request)
	if err != nil {
		return nil, err
	}
	if answer.Addr, err = freeAddress(); err != nil {
		return nil, err
	}
	return b.floor(answer)
}

// floor starts a floor with an answer.
func (b *bench) floor(answer canned) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	told, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(b.ctx, self, floorCommand)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	go func() {
		_, _ = in.Write(told) // a program that has ended is noticed by launch
		_ = in.Close()
	}()
	return b.launch(cmd, answer.Addr)
}

// fetch returns the answer to one request, without what net/http writes by itself.
func fetch(addr string, request []byte) (canned, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return canned{}, err
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		return canned{}, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return canned{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNotModified {
		err = fmt.Errorf("%.60s answered %s: %s", request, res.Status, body)
	}
	res.Header.Del("Date")
	return canned{Status: res.StatusCode, Header: res.Header, Body: body}, err
}
