package gateway

import "testing"

func TestAJobNamesThingsNotPeople(t *testing.T) {
	for subject, good := range map[string]bool{
		"0dq6kv2r9c8t1m5n3b7h4j6p2e":         true,
		"SM0123456789abcdef0123456789abcdef": true,
		"north:2026-11-25":                   true,
		"":                                   false,
		"+15551230100":                       false,
		"15551230100":                        false,
		"maria@example.org":                  false,
		"Maria Lopez":                        false,
	} {
		err := Job{Kind: "erase-media", Subject: subject}.Check()
		if (err == nil) != good {
			t.Errorf("%q: %v", subject, err)
		}
	}
	for _, kind := range []JobKind{"", "x", "Erase", "erase media"} {
		if (Job{Kind: kind, Subject: "s1"}).Check() == nil {
			t.Errorf("kind %q is taken", kind)
		}
	}
}
