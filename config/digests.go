package config

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Digests gives, by key of the file, a keyed hash of what stands there, so
// that two starts can be compared without keeping what either said. Secrets
// are hashed as the file names them, not by their value. Empty for a
// configuration that no file describes.
func (c *Config) Digests(key []byte) map[string]string {
	digests := map[string]string{}
	if c.said == nil {
		return digests
	}
	for name, text := range c.said() {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(name + "\x00" + text))
		digests[name] = hex.EncodeToString(mac.Sum(nil)[:12])
	}
	return digests
}

// saidIn flattens a file: lists are one value. An alias is its name: what it
// stands for is told where it is anchored, and may hold the alias itself.
func saidIn(root *yaml.Node) map[string]string {
	said := map[string]string{}
	var walk func(n *yaml.Node, name string)
	walk = func(n *yaml.Node, name string) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				walk(n.Content[i+1], strings.TrimPrefix(name+"."+n.Content[i].Value, "."))
			}
		case yaml.SequenceNode:
			said[name] = flat(n)
		default:
			said[name] = n.Value
		}
	}
	walk(root, "")
	return said
}

func flat(n *yaml.Node) string {
	if len(n.Content) == 0 {
		return n.Value
	}
	var parts []string
	for _, inner := range n.Content {
		parts = append(parts, flat(inner))
	}
	return "[" + strings.Join(parts, "\x00") + "]"
}
