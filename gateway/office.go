package gateway

import (
	"slices"
	"time"
)

// Office owns numbers, staff, keys and retention.
type Office struct {
	ID        OfficeID
	Name      string
	Phone     string         // shown to a client who is stuck; E.164
	Languages []string       // BCP 47 tags; the first answers when nothing tells
	Location  *time.Location // for the times that people read
	Retention time.Duration  // after a caseworker marked a submission done
	Asks      []string       // keys of what the page offers as labels
	LongSide  int            // pixels that a photograph is scaled down to
	// WorkingDays and OverdueAfter, a count of them, tell when papers have
	// waited too long.
	WorkingDays  Workweek
	OverdueAfter int
	// BrowserOnly takes no page that the phone did not seal.
	BrowserOnly bool
	// DailySegments is what may be texted in a day: the office's spending
	// ceiling at the price of a segment.
	DailySegments        int
	Hooks                []Hook // other systems that are told of what happens here
	SecondFactorOptional bool   // staff may sign in by a password alone
	// NoDownload are roles that may look at papers and not take them along.
	NoDownload []Role
	// Delivery is where papers are handed over to; nil for nowhere.
	Delivery *DeliveryRule
	// Emergency is who may look at the papers in an emergency, without a role here.
	Emergency EmergencyRule
}

// Downloads tells whether one of a person's roles lets them take papers along.
func (o Office) Downloads(s Staff) bool {
	return s.DisabledAt.IsZero() && slices.ContainsFunc(s.Roles[o.ID], o.downloads)
}

func (o Office) downloads(role Role) bool {
	return slices.Contains(rights[role], RightDownload) && !slices.Contains(o.NoDownload, role)
}

// DownloadRoles are the roles at the office that let a person take papers along.
func (o Office) DownloadRoles() []Role {
	return slices.DeleteFunc(AllRoles(), func(role Role) bool { return !o.downloads(role) })
}

// Asked tells whether a label is one the office asks for.
func (o Office) Asked(label string) bool { return slices.Contains(o.Asks, label) }

// NumberRule is what holds for one of the offices' numbers.
type NumberRule struct {
	Number  Number
	Office  OfficeID
	Account string        // SID of the Twilio account that owns it
	LinkTTL time.Duration // of a texted link
	Pace    time.Duration // between two texts of our own: what the carriers take
	MMS     MMS
	Words   bool // what clients write is sealed and kept
}

// Directory is the configured offices and numbers.
type Directory struct {
	Offices   map[OfficeID]Office
	Numbers   map[Number]NumberRule
	Countries []string // ISO 3166-1 alpha-2, upper case: the countries answered
	own       map[Number]bool
}

// NewDirectory makes the directory of these offices and numbers.
func NewDirectory(offices []Office, numbers []NumberRule, countries []string) Directory {
	d := Directory{
		Offices: map[OfficeID]Office{}, Numbers: map[Number]NumberRule{}, Countries: countries, own: map[Number]bool{},
	}
	for _, o := range offices {
		d.Offices[o.ID] = o
	}
	for _, n := range numbers {
		d.Numbers[n.Number] = n
		d.own[n.Number] = true
	}
	return d
}

// Own is the set of all numbers.
func (d Directory) Own() map[Number]bool { return d.own }

// NumberOf gives the number that an office's own texts are sent from: the
// first in order of digits.
func (d Directory) NumberOf(office OfficeID) (NumberRule, bool) {
	var found NumberRule
	for _, rule := range d.Numbers {
		if rule.Office == office && (found.Number == "" || rule.Number < found.Number) {
			found = rule
		}
	}
	return found, found.Number != ""
}

// Limits are the defaults of the product; the configuration overrides each by name.
type Limits struct {
	RequestTTL     time.Duration // a requested link lives this long, unclaimed
	SessionIdle    time.Duration // a claimed session ends after this much silence
	SessionTotal   time.Duration // and after this long in any case
	CommitGrace    time.Duration // a page whose body began in time may be stored this much later
	LinkKnown      time.Duration // a link is recognized this long after it was issued
	AnswersPerHour int
	AnswersPerDay  int
	WordsPause     time.Duration // words get a new answer after this much silence of ours
	PictureBurst   time.Duration // pictures within this time share one answer
	ReplayWindow   time.Duration // the same message again is answered again within this time
	PageBytes      int64         // plain bytes of one page
	LinkPages      int
	LinkBytes      int64 // plain bytes of all pages of one submission
	PagePixels     int64 // width x height of one picture
	SweepAge       time.Duration
	NumberPerHour  int           // texts that one number sends in an hour, answers included
	AgainPerLink   int           // new links that one used or expired link brings
	AgainPause     time.Duration // between two of them
	ErasePatience  time.Duration // what cannot be erased at Twilio is given up after this long

	UnfinishedWarned time.Duration // supervisors are warned of a submission that nobody finished after this long
	UnfinishedKept   time.Duration // and it is erased after this long,
	WarnedLeast      time.Duration // but at least this long after the warning
	RowsKept         time.Duration // texts, links and sendings that brought nothing
	AuditKept        time.Duration
}

// DefaultLimits are the values most offices never change.
func DefaultLimits() Limits {
	return Limits{
		RequestTTL:     72 * time.Hour,
		SessionIdle:    2 * time.Hour,
		SessionTotal:   24 * time.Hour,
		CommitGrace:    15 * time.Minute,
		LinkKnown:      30 * 24 * time.Hour,
		AnswersPerHour: 5,
		AnswersPerDay:  20,
		WordsPause:     time.Minute,
		PictureBurst:   10 * time.Minute,
		ReplayWindow:   10 * time.Minute,
		PageBytes:      20 << 20,
		LinkPages:      40,
		LinkBytes:      200 << 20,
		PagePixels:     100_000_000,
		SweepAge:       24 * time.Hour,
		NumberPerHour:  1000,
		AgainPerLink:   3,
		AgainPause:     10 * time.Minute,
		ErasePatience:  14 * 24 * time.Hour,

		UnfinishedWarned: 60 * 24 * time.Hour,
		UnfinishedKept:   365 * 24 * time.Hour,
		WarnedLeast:      30 * 24 * time.Hour,
		RowsKept:         365 * 24 * time.Hour,
		AuditKept:        2192 * 24 * time.Hour, // six years, two of them leap years
	}
}
