package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// callers is how many callers send requests at the same time, each on a connection of its own that is kept alive.
const callers = 16

// caller is one connection. It does as little as possible, so that the time goes into the server: requests are bytes
// made beforehand, and of an answer only the status, the length and the body are looked at.
type caller struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

func dial(addr string) (*caller, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return nil, err
	}
	return &caller{conn: conn, in: bufio.NewReader(conn)}, nil
}

// do sends a request and returns the body of its answer, which must be a 200, or the empty one of a 304. The body is good
// until the next call.
func (c *caller) do(request []byte) ([]byte, error) {
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	status, length := "", -1
	for {
		raw, err := c.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		head := bytes.TrimRight(raw, "\r\n")
		if len(head) == 0 {
			break
		}
		if status == "" {
			status = string(head)
		} else if n, ok := bytes.CutPrefix(head, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(n)); err != nil {
				return nil, err
			}
		}
	}
	if status == "HTTP/1.1 304 Not Modified" { // has no body, whatever its length says (RFC 9110 section 15.4.5)
		return nil, nil
	}
	if length < 0 {
		return nil, errors.New("the answer has no Content-Length")
	}
	c.body = slices.Grow(c.body[:0], length)[:length]
	if _, err := io.ReadFull(c.in, c.body); err != nil {
		return nil, err
	}
	if status != "HTTP/1.1 200 OK" {
		return nil, fmt.Errorf("answered %s: %.300s", status, c.body)
	}
	return c.body, nil
}

// request writes an HTTP request with a JSON body, or none if it is empty.
func request(method, path, token, body string) []byte {
	return requestOf(method, path, token, "application/json", body)
}

// requestOf is request with a body of any type.
func requestOf(method, path, token, mediaType, body string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n", method, path)
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\n", mediaType)
	}
	if method != "GET" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// together runs fn for so many callers at the same time, and returns how long that took.
func together(addr string, callers int, fn func(c *caller) error) (time.Duration, error) {
	all := make([]*caller, callers)
	for i := range all {
		c, err := dial(addr)
		if err != nil {
			return 0, err
		}
		defer c.conn.Close()
		all[i] = c
	}
	errs, begin := make([]error, callers), time.Now()
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() { errs[i] = fn(c) })
	}
	wg.Wait()
	return time.Since(begin), errors.Join(errs...)
}

// rate sends one request again and again for about d, and returns how many were answered a second.
func rate(addr string, request []byte, d time.Duration) (float64, error) {
	var answered atomic.Int64
	until := time.Now().Add(d)
	took, err := together(addr, callers, func(c *caller) error {
		for n := int64(0); ; n++ {
			if n%16 == 0 && time.Now().After(until) {
				answered.Add(n)
				return nil
			}
			if _, err := c.do(request); err != nil {
				return err
			}
		}
	})
	return float64(answered.Load()) / took.Seconds(), err
}

// each sends every request once, and returns the bodies of the answers and how many were answered a second.
func each(addr string, requests [][]byte) (bodies [][]byte, perSecond float64, err error) {
	bodies = make([][]byte, len(requests))
	took, err := share(addr, callers, len(requests), func(c *caller, i int) error {
		body, err := c.do(requests[i])
		bodies[i] = bytes.Clone(body)
		return err
	})
	return bodies, float64(len(requests)) / took.Seconds(), err
}

// share has so many callers do n pieces of work, each the next that nobody has begun, and returns how long that took.
func share(addr string, callers, n int, work func(c *caller, i int) error) (time.Duration, error) {
	var next atomic.Int64
	return together(addr, callers, func(c *caller) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return nil
			}
			if err := work(c, i); err != nil {
				return err
			}
		}
	})
}
