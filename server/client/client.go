// Package client is a small typed client of Rollcall's own HTTP API. The command line, the demo,
// the load generator and the tests use it, so that all of them ask the server what any
// application would ask it.
// It has a function for each question, and the shapes of package api for what goes there and back.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds what is read of an answer, so that a wrong address cannot fill the memory.
// A page of 1000 people is well under 2 MB.
const maxAnswer = 32 << 20

// Client talks to one server with one credential. It is safe for concurrent use.
type Client struct {
	base       string
	baseErr    error  // a bad address is told by the first call, so that New stays an expression
	host       string // sent as Host; "": that of base
	credential string
	transport  *http.Transport
	http       *http.Client
	userAgent  string
}

// Option adjusts a new Client.
type Option func(*Client)

// WithConnections keeps up to n idle connections to the server, and opens no more than n.
// The default is 16 idle ones and no upper bound.
func WithConnections(n int) Option {
	return func(c *Client) {
		c.transport.MaxIdleConns, c.transport.MaxIdleConnsPerHost, c.transport.MaxConnsPerHost = n, n, n
	}
}

// WithTimeout bounds each call, its answer's body included. The default is 30 seconds.
func WithTimeout(d time.Duration) Option {
	return func(c *Client) { c.http.Timeout = d }
}

// WithUnixSocket reaches the server through a socket file; the base URL then only names the host.
func WithUnixSocket(path string) Option {
	return func(c *Client) {
		c.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
	}
}

// WithHost names the server in every call, whatever address it is reached at.
func WithHost(name string) Option {
	return func(c *Client) { c.host = name }
}

// WithTLS sets how the server's certificate is verified.
func WithTLS(config *tls.Config) Option {
	return func(c *Client) { c.transport.TLSClientConfig = config }
}

// WithUserAgent sets the User-Agent header of every call.
func WithUserAgent(agent string) Option {
	return func(c *Client) { c.userAgent = agent }
}

// New returns a client of the server at baseURL, with a base path if the server has one.
// The credential, a key or a session token, may be empty. A bad baseURL is reported by each call.
func New(baseURL, credential string, opts ...Option) *Client {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConns:          16,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		ForceAttemptHTTP2:     true,
	}
	c := &Client{
		credential: credential,
		transport:  transport,
		userAgent:  "rollcall-client",
		http: &http.Client{
			Transport: transport,
			Timeout:   30 * time.Second,
			// The API never redirects. Following one would carry the credential to an address nobody chose.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	c.base, c.baseErr = checkBase(baseURL)
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// checkBase refuses what would end up in an error text or a request by mistake, such as a
// password in the address. It does not repeat the address: it may hold that password.
func checkBase(baseURL string) (string, error) {
	u, err := url.Parse(baseURL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return "", errors.New("the server's address must look like https://rollcall.example")
	case u.User != nil:
		return "", errors.New("the server's address must not contain a user or password")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("the server's address must not contain a query or fragment")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// Close closes the idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// call sends body as JSON, if there is one, and decodes a 2xx answer into answer, if that is not nil.
func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	return c.callAs(ctx, c.credential, method, path, body, answer)
}

// ask is call with the answer as a shape of package api.
func ask[A any](ctx context.Context, c *Client, method, path string, body any) (answer A, err error) {
	err = c.call(ctx, method, path, body, &answer)
	return answer, err
}

// callAs is call with another credential: a heartbeat speaks for its session, not for the key.
func (c *Client) callAs(ctx context.Context, credential, method, path string, body, answer any) error {
	raw, err := c.exchange(ctx, credential, method, path, body)
	if err != nil || answer == nil {
		return err
	}
	return c.decode(raw, answer)
}

// exchange sends body as JSON, if there is one, and returns the answer's. With an [Error] it
// returns both.
func (c *Client) exchange(ctx context.Context, credential, method, path string, body any) ([]byte, error) {
	req, err := c.request(ctx, credential, method, path, body)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", c.base, withoutURL(err))
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer of %s: %w", c.base, withoutURL(err))
	case len(raw) > maxAnswer:
		return nil, fmt.Errorf("the answer of %s is larger than %d MB", c.base, maxAnswer>>20)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return raw, answerError(res, raw)
	}
	return raw, nil
}

func (c *Client) decode(raw []byte, answer any) error {
	if err := json.Unmarshal(raw, answer); err != nil {
		return c.notOurs(err)
	}
	return nil
}

// What shows that another service has answered, though with a success and JSON.
var (
	errNoTime  = errors.New("no time in it")
	errNoLevel = errors.New("no level in it")
)

func (c *Client) notOurs(why error) error {
	return fmt.Errorf("the answer of %s is not Rollcall's: %w", c.base, why)
}

func (c *Client) request(ctx context.Context, credential, method, path string, body any) (*http.Request, error) {
	if c.baseErr != nil {
		return nil, c.baseErr
	}
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, fmt.Errorf("building the request: %w", withoutURL(err))
	}
	req.Host = cmp.Or(c.host, req.Host)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	return req, nil
}

// withoutURL takes the addresses off an error: the server is named already, and the rest of the
// request's address holds ids.
func withoutURL(err error) error {
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		err = urlErr.Err
	}
	if opErr, ok := errors.AsType[*net.OpError](err); ok && opErr.Op == "dial" {
		return opErr.Err
	}
	return err
}
