package sso

import (
	"encoding/json"
	"testing"
)

// A token that says nothing tells of no second factor, whatever is configured.
func TestSayingNothingIsNoSecondFactor(t *testing.T) {
	p := New(Config{AMR: []string{""}, ACR: []string{""}})
	for _, token := range []string{`{}`, `{"acr":""}`, `{"acr":null,"amr":null}`, `{"amr":""}`, `{"amr":[""]}`, `{"acr":0}`} {
		var signed claims
		if err := json.Unmarshal([]byte(token), &signed); err != nil {
			t.Fatal(err)
		}
		if p.secondFactor(signed) {
			t.Errorf("%s is taken for a second factor", token)
		}
	}
}
