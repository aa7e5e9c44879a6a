package config

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// A secret reaches no output: not by any verb, not inside a struct, not from
// an unexported field, where fmt and slog skip the methods.
func TestSecretsPrintRedacted(t *testing.T) {
	const canary = "canary-secret"
	hex := fmt.Sprintf("%x", canary)
	type open struct {
		S Secret
		P *Secret
		U SecretURL
	}
	type closed struct {
		s Secret
		p *Secret
		u SecretURL
		m map[string]Secret
	}
	secret := NewSecret(canary)
	address := SecretURL{Secret: secret}
	values := []any{
		secret, &secret, address, &address, []Secret{secret}, map[string]Secret{"k": secret},
		open{secret, &secret, address}, &open{secret, &secret, address},
		closed{secret, &secret, address, map[string]Secret{"k": secret}}, &closed{s: secret, u: address},
		Identity{File: "f", Passphrase: secret}, &Config{LinkKey: secret, Redis: Redis{URL: address}},
	}
	check := func(how, output string) {
		t.Helper()
		if strings.Contains(output, canary) || strings.Contains(strings.ToLower(output), hex) {
			t.Errorf("%s shows the secret: %s", how, output)
		}
	}
	for i, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%T", "%p", "%10.3s"} {
			check(fmt.Sprintf("%s of %d", verb, i), fmt.Sprintf(verb, value))
		}
		if content, err := json.Marshal(value); err == nil {
			check(fmt.Sprintf("JSON of %d", i), string(content))
		}
		if content, err := yaml.Dump(value); err == nil {
			check(fmt.Sprintf("YAML of %d", i), string(content))
		}
		if content, err := xml.Marshal(value); err == nil {
			check(fmt.Sprintf("XML of %d", i), string(content))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value)
		check(fmt.Sprintf("slog of %d", i), log.String())
	}
	for how, got := range map[string]string{
		"String": secret.String(), "GoString": secret.GoString(), "%v": fmt.Sprintf("%v", secret),
		"%#v": fmt.Sprintf("%#v", address), "%x": fmt.Sprintf("%x", secret), "LogValue": secret.LogValue().String(),
	} {
		if got != "[secret]" {
			t.Errorf("%s gives %q", how, got)
		}
	}
	if secret.Reveal() != canary || address.Reveal() != canary || (Secret{}).Reveal() != "" {
		t.Error("Reveal does not give the value")
	}
}
