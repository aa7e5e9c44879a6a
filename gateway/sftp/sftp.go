// Package sftp hands files over to partners.
package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"dropslot/gateway"
)

var _ gateway.Courier = (*Courier)(nil)

// Config is how to reach a partner.
type Config struct {
	Address  string // host:port
	User     string
	HostKey  string // the pinned key, as a line of known_hosts without the host: "ssh-ed25519 AAAA..."
	Key      string // a private key in PEM form; empty if there is a password
	Password string
	SealTo   []string // age recipients of the partner's; none sends as it is
}

// Courier reaches one partner.
type Courier struct {
	address    string
	client     ssh.ClientConfig
	pinned     ssh.PublicKey
	recipients []age.Recipient
}

const (
	// dialPatience bounds connecting and the handshake.
	dialPatience = 20 * time.Second
	// stallPatience bounds how long a server takes nothing of what is sent.
	stallPatience = time.Minute
)

// New reads keys and refuses what cannot be used, before anything is sent.
func New(c Config) (*Courier, error) {
	pinned, err := ParseHostKey(c.HostKey)
	if err != nil {
		return nil, err
	}
	k := &Courier{address: c.Address, pinned: pinned}
	k.client = ssh.ClientConfig{
		User: c.User, HostKeyCallback: k.check, HostKeyAlgorithms: algorithmsOf(pinned), Timeout: dialPatience,
		ClientVersion: "SSH-2.0-Dropslot",
	}
	if c.Key != "" {
		signer, err := ssh.ParsePrivateKey([]byte(c.Key))
		if err != nil {
			return nil, errors.New("the key is no private key in PEM form without a passphrase; make one with: ssh-keygen -t ed25519 -N ''")
		}
		k.client.Auth = append(k.client.Auth, ssh.PublicKeys(signer))
	}
	if c.Password != "" {
		k.client.Auth = append(k.client.Auth, ssh.Password(c.Password))
	}
	for _, text := range c.SealTo {
		var recipient age.Recipient
		if recipient, err = age.ParseHybridRecipient(text); err != nil {
			recipient, err = age.ParseX25519Recipient(text)
		}
		if err != nil {
			return nil, errors.New("a recipient of the partner's is none of age's")
		}
		k.recipients = append(k.recipients, recipient)
	}
	return k, nil
}

// ParseHostKey reads a pinned host key.
func ParseHostKey(text string) (ssh.PublicKey, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text)) //nolint:dogsled // the form of the library
	if err != nil {
		return nil, errors.New("the host key is none; get it from the partner, or look at it with: ssh-keyscan HOST")
	}
	return key, nil
}

// algorithmsOf asks the server for the pinned key and for no other that it may
// have besides.
func algorithmsOf(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA { // never with SHA-1
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

var errOtherKey = errors.New("the server has another host key than the pinned one")

func (k *Courier) check(_ string, _ net.Addr, key ssh.PublicKey) error {
	if string(key.Marshal()) != string(k.pinned.Marshal()) {
		return errOtherKey
	}
	return nil
}

// Connect signs in; see the port.
func (k *Courier) Connect(ctx context.Context) (gateway.Handover, error) {
	dialer := net.Dialer{Timeout: dialPatience}
	conn, err := dialer.DialContext(ctx, "tcp", k.address)
	if err != nil {
		return nil, gateway.NewError(gateway.CodePartnerDown, err)
	}
	_ = conn.SetDeadline(time.Now().Add(dialPatience))
	wire, channels, requests, err := ssh.NewClientConn(steady{conn}, k.address, &k.client)
	if err != nil {
		_ = conn.Close()
		return nil, handshakeError(err)
	}
	_ = conn.SetDeadline(time.Time{})
	c := &connection{ssh: ssh.NewClient(wire, channels, requests)}
	c.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if c.sftp, err = sftp.NewClient(c.ssh, sftp.UseConcurrentWrites(false)); err != nil {
		_ = c.Close()
		return nil, gateway.NewError(gateway.CodePartnerDown, errors.New("no SFTP there"))
	}
	return c, nil
}

// handshakeError tells apart what a person can mend. The library has no types
// for these.
func handshakeError(err error) error {
	switch text := err.Error(); {
	case errors.Is(err, errOtherKey), strings.Contains(text, errOtherKey.Error()), strings.Contains(text, "no common algorithm for host key"):
		return gateway.NewError(gateway.CodePartnerKey, nil)
	case strings.Contains(text, "unable to authenticate"):
		return gateway.NewError(gateway.CodePartnerSignIn, nil)
	}
	return gateway.NewError(gateway.CodePartnerDown, errors.New("the handshake failed"))
}

// Seal seals to the partner's recipients; see the port.
func (k *Courier) Seal(w io.Writer) (io.WriteCloser, error) {
	if len(k.recipients) == 0 {
		return asIs{w}, nil
	}
	return age.Encrypt(w, k.recipients...)
}

type asIs struct{ io.Writer }

func (asIs) Close() error { return nil }

// steady gives every write a time of its own, so that a server that takes no
// more does not hold a delivery for ever.
type steady struct{ net.Conn }

func (s steady) Write(b []byte) (int, error) {
	_ = s.SetWriteDeadline(time.Now().Add(stallPatience))
	return s.Conn.Write(b)
}

type connection struct {
	ssh  *ssh.Client
	sftp *sftp.Client
	stop func() bool
}

// Close ends the connection.
func (c *connection) Close() error {
	c.stop()
	if c.sftp != nil {
		_ = c.sftp.Close()
	}
	return c.ssh.Close()
}

// Size tells how large a file is.
func (c *connection) Size(name string) (int64, bool, error) {
	info, err := c.sftp.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, refusal(err)
	}
	return info.Size(), true, nil
}

// Put writes a file; see the port.
func (c *connection) Put(name string, write func(io.Writer) error) error {
	if folder := path.Dir(name); folder != "." && folder != "/" {
		if err := c.sftp.MkdirAll(folder); err != nil {
			return refusal(err)
		}
	}
	file, err := c.sftp.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return refusal(err)
	}
	out := &counted{to: file}
	if err = write(out); err == nil {
		err = c.sync(file)
	}
	closed := file.Close()
	switch {
	case out.failed != nil:
		return refusal(out.failed)
	case err != nil:
		return err // of what was to be written
	case closed != nil:
		return refusal(closed)
	}
	size, found, err := c.Size(name)
	if err == nil && (!found || size != out.bytes) {
		err = gateway.NewError(gateway.CodePartnerDown, fmt.Errorf("%d bytes arrived of %d", size, out.bytes))
	}
	return err
}

// sync asks the server to make a file durable. One that cannot is no worse
// than it is without having been asked.
func (c *connection) sync(file *sftp.File) error {
	if _, can := c.sftp.HasExtension("fsync@openssh.com"); !can {
		return nil
	}
	if err := file.Sync(); err != nil {
		return refusal(err)
	}
	return nil
}

// Rename gives a file its name in one step. The extension posix-rename would
// lay it over a file that is there; SFTP's own rename is refused then.
func (c *connection) Rename(from, to string) error {
	if err := c.sftp.Rename(from, to); err != nil {
		return refusal(err)
	}
	return nil
}

// Remove takes a file away.
func (c *connection) Remove(name string) error {
	if err := c.sftp.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return refusal(err)
	}
	return nil
}

// refusal tells apart what the server refuses and what is a broken connection.
// The library's words are not kept: they may tell the path.
func refusal(err error) error {
	if errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) {
		return gateway.NewError(gateway.CodePartnerFolder, nil)
	}
	if status, ok := errors.AsType[*sftp.StatusError](err); ok {
		return gateway.NewError(gateway.CodePartnerFolder, fmt.Errorf("the server's status is %d", status.Code))
	}
	return gateway.NewError(gateway.CodePartnerDown, errors.New("the connection broke"))
}

// counted tells what failed in writing from what failed in what is written.
type counted struct {
	to     io.Writer
	bytes  int64
	failed error
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.bytes += int64(n)
	c.failed = err
	return n, err
}
