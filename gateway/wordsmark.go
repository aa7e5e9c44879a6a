package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"unicode"
)

// WordsMark is a keyed hash by which words that come again are known: of their
// letters alone, without case, digits, punctuation and links, since a robot
// that quotes our answer quotes another link each time. Words without a letter
// ("1", "?") are taken as they are, or all of them would be the same. Never 0.
func WordsMark(key []byte, words string) int64 {
	mac := hmac.New(sha256.New, key)
	var bare []string
	lettered := false
	for word := range strings.FieldsSeq(strings.ToLower(words)) {
		if strings.Contains(word, "://") || strings.Contains(word, "/c/") {
			continue
		}
		bare = append(bare, word)
		letters := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return r
			}
			return -1
		}, word)
		if letters != "" {
			mac.Write([]byte(letters))
			mac.Write([]byte{' '})
			lettered = true
		}
	}
	if !lettered {
		mac.Write([]byte(strings.Join(bare, " ")))
	}
	mark := int64(binary.BigEndian.Uint64(mac.Sum(nil))) // #nosec G115 -- any 64 bits will do
	if mark == 0 {
		return 1
	}
	return mark
}
