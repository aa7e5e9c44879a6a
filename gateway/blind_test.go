package gateway

import "testing"

func TestBlind(t *testing.T) {
	key, err := NewLinkKey(make([]byte, LinkKeySize))
	if err != nil {
		t.Fatal(err)
	}
	b := NewBlind(key)
	same := b.Case("north", "ab-12 345/x")
	for _, other := range []string{"AB12345X", " ab12345x ", "AB–12.345 X"} {
		if b.Case("north", other) != same {
			t.Errorf("%q is another case", other)
		}
	}
	for office, other := range map[OfficeID]string{"north": "AB12345Y", "south": "AB12345X"} {
		if b.Case(office, other) == same {
			t.Errorf("%s %q is the same case", office, other)
		}
	}
	if !b.Case("north", " -/ ").IsZero() {
		t.Error("nothing has an index")
	}
	sender := PhoneIndex{1, 2, 3}
	id := b.Client(sender)
	got, ok := b.Sender(id)
	if !ok || got != sender || !ValidID(string(id)) {
		t.Errorf("%s leads back to %v, %v", id, got, ok)
	}
	for _, bad := range []ClientID{"", "x", id[1:], id + "0", "ABCDEFGHIJKLMNOPQRSTUVABCD"} {
		if _, ok := b.Sender(bad); ok {
			t.Errorf("%q is a name", bad)
		}
	}
}
