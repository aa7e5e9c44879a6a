package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"html/template"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rsc.io/qr"
)

// demoPorts gives the host and three ports in a row from the address's on;
// three free ones when the address is the default and taken.
func demoPorts(address string) (string, [3]string, error) {
	host, port, err := net.SplitHostPort(address)
	first, errPort := strconv.ParseUint(port, 10, 16)
	if err != nil || errPort != nil || first > 65533 || first == 0 || host != "localhost" && net.ParseIP(host) == nil {
		return "", [3]string{}, fmt.Errorf("--listen %q: write an IP address and a port, like 0.0.0.0:8443", address)
	}
	var ports [3]string
	for i := range ports {
		ports[i] = strconv.FormatUint(first+uint64(i), 10) // #nosec G115 -- 0, 1, 2
		probe, err := net.Listen("tcp", net.JoinHostPort(host, ports[i]))
		if err == nil {
			_ = probe.Close()
			continue
		}
		if address != demoListen {
			return "", ports, fmt.Errorf("port %s is taken: choose another with --listen", ports[i])
		}
		return freePorts(host)
	}
	return host, ports, nil
}

func freePorts(host string) (string, [3]string, error) {
	var ports [3]string
	for i := range ports {
		address, err := freeLoopback()
		if err != nil {
			return "", ports, err
		}
		_, ports[i], _ = net.SplitHostPort(address)
	}
	return host, ports, nil
}

func freeLoopback() (string, error) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return probe.Addr().String(), probe.Close()
}

// ownAddress finds the address that this machine has in its network.
func ownAddress() (string, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		if ok && !network.IP.IsLoopback() && network.IP.To4() != nil && !network.IP.IsLinkLocalUnicast() {
			return network.IP.String(), nil
		}
	}
	return "", errors.New("this machine is in no network: leave --listen out to try the demo on this machine alone")
}

// transport is how the fake Twilio reaches the intake. Twilio itself would
// refuse a self-made certificate; the demo takes its own.
func (p *demoPlace) transport() http.RoundTripper {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if p.secure {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} // #nosec G402 -- on this machine, to ourselves
	}
	return transport
}

// selfMadeCertificate makes a certificate for the host of an address, good
// for a week: the demo is over by then.
func selfMadeCertificate(address string, now time.Time) (certificate, private string, err error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", "", err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return "", "", err
	}
	form := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Dropslot demo"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(7 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(parsed.Hostname()); ip != nil {
		form.IPAddresses = []net.IP{ip}
	} else {
		form.DNSNames = []string{parsed.Hostname()}
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return "", "", err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", err
	}
	var cert, secret bytes.Buffer
	err = errors.Join(
		pem.Encode(&cert, &pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.Encode(&secret, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	)
	return cert.String(), secret.String(), err
}

// qrForTerminal draws a QR code with half blocks, dark on light.
func qrForTerminal(text string) string {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return text
	}
	const margin = 2
	var out strings.Builder
	for y := -margin; y < code.Size+margin; y += 2 {
		out.WriteString("    \x1b[30;47m")
		for x := -margin; x < code.Size+margin; x++ {
			top, bottom := code.Black(x, y), code.Black(x, y+1)
			out.WriteString(map[[2]bool]string{
				{true, true}: "█", {true, false}: "▀", {false, true}: "▄", {false, false}: " ",
			}[[2]bool{top, bottom}])
		}
		out.WriteString("\x1b[0m\n")
	}
	return out.String()
}

// qrForPage gives the same as a picture in a data: URL.
func qrForPage(text string) template.URL {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return ""
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())) // #nosec G203 -- our own picture
}
