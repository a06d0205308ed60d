package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// socketMode lets the proxy in front connect if it shares the group.
const socketMode = 0o660

// listen opens the address that the flag chose and says in one line why it cannot.
func listen(ctx context.Context, address listenAddress, flag string) (net.Listener, error) {
	if path := address.socket(); path != "" {
		return listenSocket(ctx, path, flag)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address.text)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, inUse(address.text, flag)
	case err != nil:
		return nil, fmt.Errorf("listening on %s: %w", address.text, withoutAddress(err))
	}
	return ln, nil
}

func listenSocket(ctx context.Context, path, flag string) (net.Listener, error) {
	if err := removeStaleSocket(ctx, path, flag); err != nil {
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", path, withoutAddress(err))
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(fmt.Errorf("listening on %s: %w", path, withoutPath(err)), ln.Close())
	}
	return ln, nil
}

// removeStaleSocket removes what a killed server left at path, and nothing else.
func removeStaleSocket(ctx context.Context, path, flag string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("listening on %s: %w", path, withoutPath(err))
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("listening on %s: the file exists and is no socket", path)
	}
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
		return inUse(path, flag)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("listening on %s: %w", path, withoutAddress(err))
	}
	return os.Remove(path)
}

func inUse(address, flag string) error {
	return fmt.Errorf("%s: %w; stop what listens there, or choose another one with --%s", address, syscall.EADDRINUSE, flag)
}

// withoutAddress shortens a network error where the address is told already.
func withoutAddress(err error) error {
	if opErr, ok := errors.AsType[*net.OpError](err); ok {
		return opErr.Err
	}
	return err
}
