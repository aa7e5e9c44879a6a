package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/wneessen/go-mail"

	"dropslot/gateway"
)

// The ways to speak TLS with a mail server.
const (
	StartTLS = "starttls" // required, or nothing is sent
	TLS      = "tls"      // from the first byte
	NoTLS    = "none"     // for a server on this machine
)

// MailConfig tells where the mail server is.
type MailConfig struct {
	Host, TLS          string
	Port               int
	Username, Password string // none if empty
	From               string
	Roots              *tls.Config // nil for the system's; tests bring their own authority
}

// Mailer sends e-mail through one server.
type Mailer struct {
	config  MailConfig
	options []mail.Option
}

var _ gateway.Mailer = (*Mailer)(nil)

// mailTime bounds one message.
const mailTime = 30 * time.Second

// NewMailer makes a Mailer, without connecting.
func NewMailer(c MailConfig) (*Mailer, error) {
	options := []mail.Option{mail.WithPort(c.Port), mail.WithTimeout(mailTime)}
	switch c.TLS {
	case StartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case TLS:
		options = append(options, mail.WithSSL())
	case NoTLS:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, errors.New("notify: this is no way to speak TLS")
	}
	if c.Roots != nil {
		options = append(options, mail.WithTLSConfig(c.Roots))
	}
	if c.Username != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(c.Username), mail.WithPassword(c.Password))
	}
	m := &Mailer{config: c, options: options}
	_, err := m.client()
	return m, err
}

func (m *Mailer) client() (*mail.Client, error) { return mail.NewClient(m.config.Host, m.options...) }

// Mail sends one message. The library's errors name the address, so that only
// the server's code is passed on.
func (m *Mailer) Mail(ctx context.Context, to, subject, text, id string) error {
	message := mail.NewMsg()
	if message.From(m.config.From) != nil || message.To(to) != nil {
		return &gateway.NotTaken{Final: true, Err: errors.New("the address is none that e-mail can go to")}
	}
	message.Subject(subject)
	message.SetMessageIDWithValue(id + "@" + m.config.Host)
	message.SetDate()
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	message.SetBodyString(mail.TypeTextPlain, text)
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	client, err := m.client()
	if err != nil {
		return &gateway.NotTaken{Final: true, Err: errors.New("the mail server's configuration is not in order")}
	}
	if err := client.DialWithContext(ctx); err != nil {
		return &gateway.NotTaken{Err: fmt.Errorf("reach the mail server: %w", err)}
	}
	defer func() { _ = client.Close() }() // the message is with the server, or not: a bad goodbye changes nothing
	return verdict(client.Send(message))
}

// verdict tells a refusal from a connection that broke off. Before the content
// is on its way nothing can have been sent; after it only the server's own
// answer tells.
func verdict(err error) error {
	if err == nil {
		return nil
	}
	refused, known := errors.AsType[*mail.SendError](err)
	if !known {
		return errors.New("the mail server's answer was lost")
	}
	if refused.Reason == mail.ErrSMTPReset { // the library's RSET after the server took the content
		return nil
	}
	code := refused.ErrorCode()
	told := code >= 400 && code < 600
	early := refused.Reason != mail.ErrWriteContent && refused.Reason != mail.ErrSMTPDataClose && refused.Reason != mail.ErrAmbiguous
	if told || early {
		return &gateway.NotTaken{Final: code >= 500 && code < 600, Err: fmt.Errorf("the mail server answered %d (%s)", code, refused.Reason)}
	}
	return fmt.Errorf("the mail server's answer was lost (%s)", refused.Reason)
}

// Reach connects, speaks TLS and signs in, and sends nothing.
func (m *Mailer) Reach(ctx context.Context) error {
	client, err := m.client()
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return err
	}
	return client.Close()
}
