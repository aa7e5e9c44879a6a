package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"dropslot/config"
)

// A slow peer must not hold a connection for ever, and a phone on a weak
// signal must be able to finish.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 75 * time.Second
	readTimeout   = 15 * time.Second // uploads extend both for themselves while bytes arrive
	writeTimeout  = 2 * time.Minute  // a page over a slow line inside an agency
	headerBytes   = 16 << 10
	stopPatience  = 25 * time.Second // compose.yaml and systemd give 30 and more; Docker alone 10
)

// server is one listener with its handler.
type server struct {
	name     string
	http     *http.Server
	listener net.Listener
}

// listen binds at once, so that a taken port is told at start.
func listen(name, address string, handler http.Handler, secure *tls.Config, log *slog.Logger) (*server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the %s cannot listen on %s: %w", name, address, err)
	}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	s := &server{name: name, listener: listener, http: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		// What net/http logs itself is scanners' handshakes, and the addresses
		// of clients with them.
		ErrorLog: stdlog.New(io.Discard, "", 0),
	}}
	s.http.ReadTimeout, s.http.WriteTimeout = readTimeout, writeTimeout
	log.Info("listening", slog.String("side", name), slog.String("address", listener.Addr().String()))
	return s, nil
}

func (s *server) serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the %s stopped: %w", s.name, err)
	}
	return nil
}

// stop lets what is under way finish, for a while: an upload that is cut is
// sent again by the page.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.http.Close()
	}
	return err
}

// tlsFor gives the TLS of intake and desk, or nil where a proxy ends it.
func tlsFor(c *config.Config) (*tls.Config, error) {
	switch c.TLS.Mode {
	case config.TLSFiles:
		pair, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
		if err != nil {
			return nil, fmt.Errorf("tls: the certificate or its key cannot be used: %w", err)
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
	case config.TLSAutocert:
		hosts, err := hostsOf(c.PublicURL, c.DeskURL)
		if err != nil {
			return nil, err
		}
		manager := &autocert.Manager{
			Prompt: autocert.AcceptTOS, Email: c.TLS.Email,
			Cache: autocert.DirCache(filepath.Join(c.DataDir, "autocert")), HostPolicy: autocert.HostWhitelist(hosts...),
		}
		secure := manager.TLSConfig()
		secure.MinVersion = tls.VersionTLS12
		return secure, nil
	}
	return nil, nil
}

func hostsOf(addresses ...string) ([]string, error) {
	var hosts []string
	for _, address := range addresses {
		if address == "" {
			continue
		}
		parsed, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, parsed.Hostname())
	}
	return hosts, nil
}
