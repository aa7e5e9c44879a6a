package main

import (
	"net/url"
	"strings"

	"dropslot/config"
)

// redisURL gives the address in the one form that linkstore takes.
func redisURL(r config.Redis) string {
	if r.URL.IsSet() {
		return r.URL.Reveal()
	}
	scheme := "redis"
	if r.TLS {
		scheme = "rediss"
	}
	user := ""
	if r.Username != "" || r.Password.IsSet() {
		user = url.UserPassword(r.Username, revealed(r.Password)).String() + "@"
	}
	if r.Sentinel == nil {
		return scheme + "+cluster://" + user + strings.Join(r.Cluster, ",")
	}
	query := url.Values{}
	if r.Sentinel.Username != "" {
		query.Set("sentinel_user", r.Sentinel.Username)
	}
	if r.Sentinel.Password.IsSet() {
		query.Set("sentinel_password", revealed(r.Sentinel.Password))
	}
	return scheme + "+sentinel://" + user + strings.Join(r.Sentinel.Addresses, ",") + "/" +
		url.PathEscape(r.Sentinel.Master) + "/0?" + query.Encode()
}

// revealed gives a secret that may be unset.
func revealed(s config.Secret) string {
	if !s.IsSet() {
		return ""
	}
	return s.Reveal()
}
