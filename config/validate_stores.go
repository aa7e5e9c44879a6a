package config

import (
	"encoding/base64"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

func (v *validator) redis() {
	r, at := &v.config.Redis, path{"redis"}
	ways := 0
	for _, key := range []string{"url", "sentinel", "cluster"} {
		if v.document.has(at.to(key)) {
			ways++
		}
	}
	if v.document.has(at) && ways != 1 {
		v.fault(at, wrong("redis needs exactly one of url, sentinel and cluster", `write {url: "redis://127.0.0.1:6379/0"}`))
		return
	}
	if v.document.has(at.to("url")) {
		v.redisURL(&r.URL, at)
		return
	}
	v.resolve(&r.Password, at.to("password"))
	if r.Sentinel != nil {
		if v.document.has(at.to("sentinel", "master")) && r.Sentinel.Master == "" {
			v.fault(at.to("sentinel", "master"), wrong("master is empty", "write the name that the sentinels watch, like mymaster"))
		}
		v.hosts(r.Sentinel.Addresses, at.to("sentinel", "addresses"), "10.0.0.1:26379")
		v.resolve(&r.Sentinel.Password, at.to("sentinel", "password"))
	}
	if v.document.has(at.to("cluster")) {
		v.hosts(r.Cluster, at.to("cluster"), "10.0.0.1:6379")
	}
}

func (v *validator) redisURL(u *SecretURL, at path) {
	for _, key := range []string{"username", "password", "tls"} {
		if v.document.has(at.to(key)) {
			v.faultKey(at.to(key), wrong(key+" has no meaning beside a Redis url",
				"take it out: the url holds it (rediss:// for TLS)"))
		}
	}
	v.resolve(&u.Secret, at.to("url"))
	if !u.IsSet() {
		return
	}
	parsed, err := url.Parse(u.Reveal())
	if err == nil && (parsed.Scheme == "redis" || parsed.Scheme == "rediss") && parsed.Hostname() != "" {
		_, err = redis.ParseURL(u.Reveal())
	} else {
		err = strconv.ErrSyntax
	}
	if err != nil { // whose text may hold the password
		v.fault(at.to("url"), wrong("this is no Redis address", "write redis://HOST:PORT/0, or rediss:// for TLS"))
		return
	}
	v.plainPassword(*u, at.to("url"), "REDIS_URL")
}

// plainPassword warns of a password that stands in the file itself.
func (v *validator) plainPassword(u SecretURL, at path, variable string) {
	parsed, err := url.Parse(u.Reveal())
	if err != nil || parsed.User == nil || u.file != "" || u.env != "" {
		return
	}
	if _, set := parsed.User.Password(); set {
		v.warn(at, wrong("a password stands in this file", "write {env: "+variable+"} or {file: PATH} instead of the address"))
	}
}

func (v *validator) hosts(list []string, at path, example string) {
	if v.document.has(at) && len(list) == 0 {
		v.fault(at, wrong(at.last()+" is empty", "write ["+strconv.Quote(example)+"]"))
	}
	for i, text := range list {
		host, port, err := net.SplitHostPort(text)
		n, portErr := strconv.ParseUint(port, 10, 16)
		if err != nil || portErr != nil || host == "" || n == 0 {
			v.fault(at.to(strconv.Itoa(i)), wrong("this is no host and port", "write one like "+strconv.Quote(example)))
		}
	}
}

// records checks the database's address and makes a SQLite path absolute.
func (v *validator) records() {
	u, at := &v.config.Records.URL, path{"records", "url"}
	v.resolve(&u.Secret, at)
	if !u.IsSet() {
		return
	}
	text := u.Reveal()
	if file, ok := strings.CutPrefix(text, "sqlite:"); ok {
		whole := absolute(v.config.DataDir, file)
		// The driver takes these letters of a path, data_dir's too, for its own.
		if file == "" || strings.ContainsAny(whole, "?#%") || strings.HasPrefix(file, "//") {
			v.fault(at, wrong("this is no SQLite address", "write sqlite: and a path without ?, # and %, like sqlite:records.db"))
			return
		}
		u.Secret = u.with("sqlite:" + whole)
		return
	}
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") ||
		parsed.Host == "" || strings.Trim(parsed.Path, "/") == "" {
		v.fault(at, wrong("this is no database address", "write sqlite:records.db, or postgres://USER@HOST/DATABASE"))
		return
	}
	v.plainPassword(*u, at, "RECORDS_URL")
}

// with gives a secret of the same source with another value.
func (s Secret) with(value string) Secret {
	s.reveal = func() string { return value }
	return s
}

func (v *validator) vault() {
	text, at := v.config.Vault.URL, path{"vault", "url"}
	folder, file := strings.CutPrefix(text, "file:")
	switch {
	case strings.HasPrefix(text, "s3:"):
		v.fault(at, wrong("this version keeps documents in a folder only, not in S3", "write file: and a folder, like file:vault"))
	case !file || folder == "" || strings.HasPrefix(folder, "//"):
		v.fault(at, wrong("this is no vault", "write file: and a folder, like file:vault"))
	}
}

// linkKeySize is the length of the link key in bytes.
const linkKeySize = 32

func (v *validator) linkKey() {
	key, at := &v.config.LinkKey, path{"link_key"}
	v.resolve(key, at)
	if !key.IsSet() {
		return
	}
	if raw, err := v.config.LinkKeyBytes(); err != nil || len(raw) != linkKeySize {
		v.fault(at, wrong("the link key is not 32 bytes in base64", "make it with: dropslot keygen"))
	}
}

// LinkKeyBytes decodes the link key: 32 bytes.
func (c *Config) LinkKeyBytes() ([]byte, error) {
	return base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(c.LinkKey.Reveal()))
}
