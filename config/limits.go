package config

// Limits overrides the product's defaults. A zero value means the default,
// which stands in each comment; what is written must be above zero.
type Limits struct {
	// How long a texted link may be used, where the number says nothing. Default: 4h.
	LinkTTL Duration `yaml:"link_ttl" write:"4h"`
	// How long a link that a caseworker sent may be used. Default: 72h.
	RequestTTL Duration `yaml:"request_ttl" write:"72h"`
	// A claimed link ends after this long without a page. Default: 2h.
	SessionIdle Duration `yaml:"session_idle" write:"2h"`
	// A claimed link ends after this long in any case. Default: 24h.
	SessionTotal Duration `yaml:"session_total" write:"24h"`
	// A page that was under way when the link ended may still arrive this much
	// later. Default: 15m.
	CommitGrace Duration `yaml:"commit_grace" write:"15m"`
	// A late tap on a link is told "text me a new one" this long after it was
	// sent. Default: 30d.
	LinkKnown Duration `yaml:"link_known" write:"30d"`
	// Answers to one sender in an hour. New links that they ask for, and word of
	// what became of their texted photos, count too. Default: 5.
	AnswersPerHour int `yaml:"answers_per_hour" write:"5"`
	// Answers to one sender in a day. Default: 20.
	AnswersPerDay int `yaml:"answers_per_day" write:"20"`
	// Words get a new answer after this much silence of ours. Default: 1m.
	WordsPause Duration `yaml:"words_pause" write:"1m"`
	// Pictures that arrive within this time share one answer. Default: 10m.
	PictureBurst Duration `yaml:"picture_burst" write:"10m"`
	// The same message from Twilio again is answered again within this time. Default: 10m.
	ReplayWindow Duration `yaml:"replay_window" write:"10m"`
	// The largest page. Default: 20MiB.
	PageSize Size `yaml:"page_size" write:"20MiB"`
	// The most pages that one link brings. Default: 40.
	LinkPages int `yaml:"link_pages" write:"40"`
	// The most that all pages of one link weigh together. Default: 200MiB.
	LinkSize Size `yaml:"link_size" write:"200MiB"`
	// The most pixels of one picture, width times height. Default: 100000000.
	PagePixels int `yaml:"page_pixels" write:"100000000"`
	// What nobody refers to in the vault is swept after this long. Default: 24h.
	SweepAge Duration `yaml:"sweep_age" write:"24h"`
	// The most texts that one number sends in an hour, answers included. Default: 1000.
	NumberPerHour int `yaml:"number_per_hour" write:"1000"`
	// How many new links the button on a used or expired link brings. Default: 3.
	AgainPerLink int `yaml:"again_per_link" write:"3"`
	// The pause between two of them. Default: 10m.
	AgainPause Duration `yaml:"again_pause" write:"10m"`
	// What cannot be erased at Twilio is given up after this long, and waits
	// for dropslot jobs retry. Default: 14d.
	ErasePatience Duration `yaml:"erase_patience" write:"14d"`
	// Supervisors are warned of a submission that nobody marked done when
	// nothing moved in it for this long. Default: 60d.
	UnfinishedWarned Duration `yaml:"unfinished_warned" write:"60d"`
	// It is erased when nothing moved in it for this long. Default: 365d.
	UnfinishedKept Duration `yaml:"unfinished_kept" write:"365d"`
	// But never sooner than this after the warning. Default: 30d.
	WarnedLeast Duration `yaml:"warned_least" write:"30d"`
	// Texts, links and sent texts that brought no papers are erased after this
	// long. Default: 365d.
	RowsKept Duration `yaml:"rows_kept" write:"365d"`
	// The audit trail is kept this long. Default: 2192d, six years.
	AuditKept Duration `yaml:"audit_kept" write:"2192d"`
	// The desk locks its screen after this long without a click, a key or a
	// movement of the pointer. Default: 15m.
	DeskIdle Duration `yaml:"desk_idle" write:"15m"`
	// A caseworker signs in again after this long in any case. Default: 12h.
	DeskTotal Duration `yaml:"desk_total" write:"12h"`
}
