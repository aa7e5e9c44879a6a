package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const plainRedis = `url: "redis://127.0.0.1:6379/0"`

func TestWaysToRedis(t *testing.T) {
	h := newHouse(t)
	t.Setenv("REDIS_URL", "rediss://user:canary@redis.example.gov:6380/2")
	h.write("redis-password", "canary\n", 0o600)

	c, err := h.load(RoleIntake, plainRedis, "url: {env: REDIS_URL}")
	if err != nil || c.Redis.URL.Reveal() != "rediss://user:canary@redis.example.gov:6380/2" {
		t.Errorf("from a variable: %v", err)
	}
	c, err = h.load(RoleIntake, plainRedis, `sentinel: {master: m, addresses: ["10.0.0.1:26379"], password: {env: REDIS_URL}}`+
		"\n  username: u\n  password: {file: redis-password}\n  tls: true")
	if err != nil {
		t.Fatal(err)
	}
	if c.Redis.Sentinel.Master != "m" || c.Redis.Password.Reveal() != "canary" || !c.Redis.Sentinel.Password.IsSet() || !c.Redis.TLS {
		t.Errorf("sentinel: %+v", c.Redis)
	}
	c, err = h.load(RoleIntake, plainRedis, `cluster: ["10.0.0.1:6379", "[::1]:6379"]`)
	if err != nil || len(c.Redis.Cluster) != 2 {
		t.Errorf("cluster: %v", err)
	}
	_, err = h.load(RoleIntake, plainRedis, plainRedis+"\n  password: {env: REDIS_URL}")
	wantFaults(t, err, "password has no meaning beside a Redis url")
	_, err = h.load(RoleIntake, plainRedis, `sentinel: {addresses: []}`)
	wantFaults(t, err, "the key master is missing", "addresses is empty")
}

func TestPostgres(t *testing.T) {
	h := newHouse(t)
	t.Setenv("RECORDS_URL", "postgres://u:canary@db.example.gov/dropslot?sslmode=verify-full")
	c, err := h.load(RoleWorker, `url: "sqlite:records.db"`, "url: {env: RECORDS_URL}")
	if err != nil || !strings.HasPrefix(c.Records.URL.Reveal(), "postgres://u:canary@") {
		t.Errorf("postgres: %v", err)
	}
}

// Countries that YAML 1.1 took for false.
func TestNorwayIsACountry(t *testing.T) {
	h := newHouse(t)
	c, err := h.load(RoleIntake, "countries: [US, CA]", "countries: [NO]")
	if err != nil || c.Countries[0] != "NO" {
		t.Errorf("%v", err)
	}
}

func TestTLSFiles(t *testing.T) {
	h := newHouse(t)
	const tlsFiles = "mode: files\n  cert: tls/cert.pem\n  key: tls/key.pem #"
	cert, key := selfSigned(t)
	_, otherKey := selfSigned(t)

	h.write("tls/cert.pem", cert, 0o644)
	h.write("tls/key.pem", key, 0o600)
	c, err := h.load(RoleIntake, "mode: off ", tlsFiles)
	if err != nil || c.TLS.Cert != filepath.Join(h.folder, "tls/cert.pem") {
		t.Errorf("a good pair: %v", err)
	}
	h.write("tls/key.pem", otherKey, 0o600)
	_, err = h.load(RoleIntake, "mode: off ", tlsFiles)
	wantFaults(t, err, "certificate and key do not go together")
	h.write("tls/key.pem", key, 0o644)
	_, err = h.load(RoleIntake, "mode: off ", tlsFiles)
	wantFaults(t, err, "run: chmod 600 ")
	if _, err = h.load(RoleWorker, "mode: off ", tlsFiles); err != nil {
		t.Errorf("the worker needs no certificate: %v", err)
	}
	_, err = h.load(RoleIntake, "mode: off ", "mode: files #")
	wantFaults(t, err, "tls mode files needs cert", "tls mode files needs key")
	_, err = h.load(RoleIntake, "mode: off ", "mode: autocert\n  cert: x\n  email: nobody #")
	wantFaults(t, err, "cert has no meaning with tls mode autocert", "no e-mail address")
}

func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}
