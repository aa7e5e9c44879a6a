package linkstore

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"dropslot/gateway"
)

// Every key that Dropslot keeps in Redis is named here.
const (
	linkPrefix    = "dropslot:link:"    // + SHA-256 of the token, hex; a hash; see put.lua
	limitPrefix   = "dropslot:limit:"   // + kind + ":" + keyed hash, hex; a string; see allow.lua, forgive.lua
	sessionPrefix = "dropslot:session:" // + SHA-256 of the session's token, hex; a string of scs
)

func linkKey(hash gateway.TokenHash) string {
	return linkPrefix + hex.EncodeToString(hash[:])
}

// limitKey stands for an address or a login. The subkey keeps whoever reads
// Redis from trying all four billion addresses; 16 bytes leave no two alike.
func limitKey(subkey []byte, kind, key string) string {
	mac := hmac.New(sha256.New, subkey)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(key))
	return limitPrefix + kind + ":" + hex.EncodeToString(mac.Sum(nil)[:16])
}

func sessionKey(token string) string {
	hash := sha256.Sum256([]byte(token))
	return sessionPrefix + hex.EncodeToString(hash[:])
}
