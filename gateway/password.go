package gateway

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// PasswordLength is the least that a password may have, in characters (NIST
// SP 800-63B-4 asks for 15 where a password may stand alone), and
// PasswordBytes the most, in bytes.
const (
	PasswordLength = 15
	PasswordBytes  = 1024
)

// What people type when they are asked for something long, without spaces and
// signs. Composition is not asked for: length is what counts.
var commonPasswords = []string{
	"passwordpassword", "passwordpassword1", "password12345678", "mypasswordispassword", "correcthorsebatterystaple",
	"iloveyouiloveyou", "letmeinletmeinletmein", "letmeinletmein1", "welcomewelcome", "welcome123456789", "adminadminadmin",
	"administrator1", "administrator123", "qwertyuiopasdfgh", "qwertyuiopasdfghjkl", "qwertyuiopasdfghjklzxcvbnm", "qwertyqwertyqwerty",
	"abcdefghijklmnop", "abcdefghijklmnopqrstuvwxyz", "thisismypassword", "changemechangeme", "dropslotdropslot", "dropslotpassword",
	"trustno1trustno1", "monkeymonkeymonkey", "sunshinesunshine", "footballfootball", "baseballbaseball",
}

// CheckPassword refuses a password that a guesser tries first: CodeWeakPassword.
// names are the login and the names of the person's offices.
func CheckPassword(password string, names ...string) error {
	weak := NewError(CodeWeakPassword, nil)
	plain := lettersOf(password)
	if utf8.RuneCountInString(password) < PasswordLength || len(password) > PasswordBytes || patterned(plain) {
		return weak
	}
	for _, common := range commonPasswords {
		if plain == common {
			return weak
		}
	}
	for _, name := range names {
		// What is left beside a name is what counts.
		if name = lettersOf(name); len(name) >= 3 && strings.Contains(plain, name) &&
			utf8.RuneCountInString(strings.ReplaceAll(plain, name, "")) < PasswordLength {
			return weak
		}
	}
	return nil
}

func lettersOf(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// patterned tells of one short piece repeated, and of letters or digits in
// their order.
func patterned(text string) bool {
	runes := []rune(text)
	kinds := map[rune]bool{}
	rising, falling := true, true
	for i, r := range runes {
		kinds[r] = true
		if i > 0 {
			step := r - runes[i-1]
			rising = rising && (step == 1 || step == -9) // 9 before 0
			falling = falling && (step == -1 || step == 9)
		}
	}
	return len(kinds) < 5 || rising || falling
}
