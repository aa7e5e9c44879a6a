// Package config reads Dropslot's one YAML file. Each field's comment in
// tree.go is the manual of that key; example.yaml shows them all; schema.json
// tells them to an editor.
package config

import (
	"net/netip"
	"slices"
)

//go:generate go run ./schemagen

// Config is the whole configuration file. One file serves every role: Load
// resolves the secrets that its role needs.
type Config struct {
	// Where clients and Twilio reach the intake: what Twilio signs and what
	// every link begins with. https with a host name and nothing behind it;
	// http only on a loopback address. Keep it short: it stands in every text.
	PublicURL string `yaml:"public_url" jsonschema:"required" write:"https://docs.example.gov"`
	// The folder that relative paths in this file start from. A relative
	// data_dir itself starts from the folder of this file.
	DataDir string `yaml:"data_dir" jsonschema:"required" write:"/var/lib/dropslot"`
	// The addresses to listen on, one for each side.
	Listen Listen `yaml:"listen"`
	// Where caseworkers reach the desk: https, or http on a loopback address.
	// The roles desk and all need it.
	DeskURL string `yaml:"desk_url" write:"https://desk.example.gov"`
	// The proxies in front whose X-Forwarded-For is believed, as addresses or
	// ranges. Default: none, so that the connection's own address counts: behind
	// a proxy that is not named here, everybody has the proxy's.
	TrustedProxies []Network `yaml:"trusted_proxies"`
	// Who speaks TLS with the outside.
	TLS TLS `yaml:"tls"`
	// Redis, which carries link tokens and limits. Exactly one of url,
	// sentinel and cluster. Its maxmemory-policy must be noeviction.
	Redis Redis `yaml:"redis" jsonschema:"required" write:"{url: \"redis://127.0.0.1:6379/0\"}"`
	// The SQL database, which decides.
	Records Records `yaml:"records"`
	// Where sealed documents rest.
	Vault Vault `yaml:"vault"`
	// 32 random bytes in base64, made by dropslot keygen. Links, phone numbers
	// and the audit trail hang on it: keep a copy offline.
	LinkKey Secret `yaml:"link_key" jsonschema:"required" write:"{file: keys/link.key}"`
	// The Twilio account that owns the numbers.
	Twilio Twilio `yaml:"twilio" jsonschema:"required" write:"{account_sid: ACxxx, auth_tokens: [{env: TWILIO_AUTH_TOKEN}]}"`
	// The countries whose phones are answered, as two capital letters (ISO
	// 3166-1). Every other sender gets silence, so that nobody can make the
	// office pay for texts abroad. Default: [US, CA].
	Countries []string `yaml:"countries"`
	// The offices by their short name (lowercase letters, digits, hyphens).
	Offices map[string]*Office `yaml:"offices" jsonschema:"required" write:"{north: {name: ...}}"`
	// The offices' Twilio numbers in E.164 form, in quotes.
	Numbers map[E164]*Number `yaml:"numbers" jsonschema:"required" write:"{\"+15551230100\": {office: north}}"`
	// The organization's identity provider, which the desk's staff sign in
	// through. Without it they sign in with accounts of Dropslot's own.
	SingleSignOn *SingleSignOn `yaml:"single_sign_on"`
	// The mail server for notices to caseworkers. Without it nobody is written to.
	SMTP *SMTP `yaml:"smtp"`
	// The virus scanner.
	Scan Scan `yaml:"scan"`
	// The agreements that the operator has with those who handle clients' data,
	// such as a business associate agreement with Twilio. Nothing is decided by
	// them: dropslot doctor tells which are missing or run out.
	Agreements []Agreement `yaml:"agreements"`
	// The product's defaults, each by name. Leave out what you do not change.
	Limits Limits `yaml:"limits"`

	// Warnings are what Load would have a person look at, though it works.
	Warnings Faults `yaml:"-"`

	// What the file says, by key, for Digests. A function, because a printer
	// that walks values shows nothing of it.
	said func() map[string]string
}

// Listen is the addresses of the listeners.
type Listen struct {
	// The public side: webhooks and clients' pages. Default: ":8080".
	Intake Address `yaml:"intake"`
	// The caseworkers' side. Default: "127.0.0.1:8081".
	Desk Address `yaml:"desk"`
	// Health and metrics, without TLS or password: keep it on loopback.
	// Default: "127.0.0.1:9090".
	Ops Address `yaml:"ops"`
}

// TLS tells who ends TLS for intake and desk.
type TLS struct {
	// off: a proxy in front does it. files: Dropslot does it with cert and
	// key. autocert: Dropslot fetches certificates from Let's Encrypt (the
	// intake must be reachable on port 443 from everywhere). Default: off.
	Mode string `yaml:"mode" jsonschema:"enum=off,enum=files,enum=autocert"`
	// For files: the certificate chain in PEM form.
	Cert string `yaml:"cert"`
	// For files: the private key in PEM form, readable by its owner or by its
	// group too, never by others.
	Key string `yaml:"key"`
	// For autocert: where Let's Encrypt writes when something is wrong.
	Email string `yaml:"email"`
}

// The modes of TLS.
const (
	TLSOff      = "off"
	TLSFiles    = "files"
	TLSAutocert = "autocert"
)

// Redis tells where Redis is, in one of three ways.
type Redis struct {
	// One server: redis:// or rediss:// (TLS), with the database's number as
	// path. With a password in it, write {env: REDIS_URL} or {file: PATH}.
	URL SecretURL `yaml:"url" write:"redis://127.0.0.1:6379/0"`
	// Sentinels that know the master.
	Sentinel *Sentinel `yaml:"sentinel"`
	// Some nodes of a cluster, as host:port.
	Cluster []string `yaml:"cluster" write:"10.0.0.1:6379"`
	// The user at the servers, for sentinel and cluster.
	Username string `yaml:"username"`
	// The password at the servers, for sentinel and cluster.
	Password Secret `yaml:"password"`
	// Whether to speak TLS with the servers, for sentinel and cluster.
	TLS bool `yaml:"tls"`
}

// Sentinel is how to find a Redis master.
type Sentinel struct {
	// The name under which the sentinels watch the master.
	Master string `yaml:"master" jsonschema:"required" write:"mymaster"`
	// The sentinels, as host:port.
	Addresses []string `yaml:"addresses" jsonschema:"required" write:"[\"10.0.0.1:26379\"]"`
	// The user at the sentinels themselves.
	Username string `yaml:"username"`
	// The password at the sentinels themselves.
	Password Secret `yaml:"password"`
}

// Records tells where the SQL database is.
type Records struct {
	// sqlite:PATH for one machine, or postgres://... when several processes
	// share the database. With a password in it, write {env: NAME} or
	// {file: PATH}. Default: "sqlite:records.db".
	URL SecretURL `yaml:"url" write:"sqlite:records.db"`
}

// Vault tells where sealed documents rest.
type Vault struct {
	// file:FOLDER. Default: "file:vault".
	URL string `yaml:"url" write:"file:vault"`
}

// Twilio is the account that owns the numbers.
type Twilio struct {
	// The account's SID: AC and 32 lowercase hexadecimal digits.
	AccountSID string `yaml:"account_sid" jsonschema:"required" write:"AC00000000000000000000000000000000"`
	// The account's auth tokens. While rotating, the new one and the old one:
	// webhooks signed with either are accepted, the first is used to send.
	AuthTokens []Secret `yaml:"auth_tokens" jsonschema:"required" write:"[{env: TWILIO_AUTH_TOKEN}]"`
	// What a segment of a text costs in US dollars, Twilio's price and the
	// carriers' fee together: by it check counts what texts cost and the
	// offices' daily_spend is kept. Default: 0.0113, Twilio's list price of
	// 0.0083 in the US and a usual carrier fee of 0.003 (November 2026).
	Price Dollars `yaml:"price" write:"0.0113"`
	// Another place than Twilio to send to, for tests against a fake.
	APIURL string `yaml:"api_url" write:"http://127.0.0.1:9999"`
}

// Agreement is one that the operator recorded.
type Agreement struct {
	// With whom it is.
	With string `yaml:"with" jsonschema:"required" write:"Twilio"`
	// What it is, like BAA.
	Kind string `yaml:"kind" jsonschema:"required" write:"BAA"`
	// When it was signed.
	Signed Date `yaml:"signed" jsonschema:"required" write:"2026-01-31"`
	// When it ends, if it does.
	Until Date `yaml:"until" write:"2029-01-31"`
}

// Office owns numbers, staff, keys and retention.
type Office struct {
	// The office's name as its clients know it. It begins every text, so 25
	// characters or fewer keep the texts in one segment.
	Name string `yaml:"name" jsonschema:"required" write:"North County Benefits"`
	// The telephone number shown to a client who is stuck: a person answers it.
	Phone E164 `yaml:"phone" jsonschema:"required" write:"\"+15551230199\""`
	// Files with the age recipients that documents are sealed to: the office's
	// own and the offline recovery recipient, from dropslot keygen. One
	// recipient a line; lines with # are comments. All of one kind.
	Recipients []RecipientFile `yaml:"recipients" jsonschema:"required" write:"[{file: keys/north.pub}, {file: keys/north-recovery.pub}]"`
	// What opens the office's documents. Read by the desk role alone.
	Identity Identity `yaml:"identity"`
	// The languages that clients are written to in; the first one answers when
	// nothing tells. Default: [en, es].
	Languages []string `yaml:"languages"`
	// The time zone of the times that people read. Default: America/New_York.
	Timezone string `yaml:"timezone" write:"America/Chicago"`
	// The days that the office works on, by which papers are overdue: mon, tue,
	// wed, thu, fri, sat, sun. Default: [mon, tue, wed, thu, fri].
	WorkingDays []string `yaml:"working_days"`
	// Papers that lie in the inbox for longer than so many full working days are
	// marked overdue, unless the office waits for the client. Default: 2.
	OverdueAfter int `yaml:"overdue_after" write:"2"`
	// How long documents stay after a caseworker marked them done. Default: 90d.
	Retention Duration `yaml:"retention" write:"90d"`
	// The most that texts of this office may cost in a day, in US dollars, at
	// the price twilio.price a segment. When it is reached, texts get no answer
	// until midnight in the office's time zone: nobody can run up the bill.
	// Default: 25.
	DailySpend Dollars `yaml:"daily_spend" write:"25"`
	// What the page offers as labels for a photograph, in this order.
	// Default: [photo-id, pay-stub, benefit-letter, other].
	Asks []string `yaml:"asks"`
	// How many pixels the long side of a photograph has that the page sends,
	// 1000 to 4000: more keeps smaller print readable and takes longer on a weak
	// signal. Default: 2400.
	PhotoLongSide int `yaml:"photo_long_side" write:"2400"`
	// Where pages are sealed. browser-or-server: on the phone, and where that
	// cannot be (no JavaScript, a very old browser), by the server while they
	// stream through its memory. browser-only: on the phone or not at all; who
	// cannot is asked to call. Default: browser-or-server.
	Sealing string `yaml:"sealing" jsonschema:"enum=browser-or-server,enum=browser-only"`
	// Other systems that are told that something is at the desk, by a name of
	// your choice. They are told how many and where, and nothing of a client.
	Webhooks map[string]*Webhook `yaml:"webhooks"`
	// Whether the office's staff need a second factor beside a password: a code
	// from an app, or a passkey, which stands for both. required: who has none
	// sets one up at the next sign-in. optional: who has one is asked for it.
	// Default: required.
	SecondFactor string `yaml:"second_factor" jsonschema:"enum=required,enum=optional"`
	// Own words for texts: by language, then by the text's name (greeting,
	// link, link-last, photos-arriving, photos-arriving-last, photos-saved,
	// photos-partly, photo-not-kept, photo-not-kept-last, request, receipt,
	// reminder, again, remind-me, voice). The placeholders are {office}, {phone}, {link},
	// {hours}, {count}, {reference} and {choices}. dropslot check prints them
	// filled, with their segments and what a thousand cost.
	Texts map[string]map[string]string `yaml:"texts"`
	// Whether caseworker and supervisor may take papers along: download
	// originals, a PDF or a ZIP, print. off leaves looking at them. Default: on
	// for both.
	Download map[string]Switch `yaml:"download"`
	// Where papers are handed over to. Default: nowhere.
	Deliver *Deliver `yaml:"deliver"`
	// Who may look at the office's papers in an emergency without a role here
	// that lets them. Default: nobody.
	EmergencyAccess *EmergencyAccess `yaml:"emergency_access"`
}

// RecipientFile is a file of age recipients.
type RecipientFile struct {
	// The file that dropslot keygen made, ending in .pub.
	File string `yaml:"file" jsonschema:"required" write:"keys/north.pub"`

	// Recipients is what Load found in the file, in age's text form.
	Recipients []string `yaml:"-"`
}

// RecipientKeys gives all the office's age recipients in text form.
func (o *Office) RecipientKeys() []string {
	var keys []string
	for _, file := range o.Recipients {
		keys = append(keys, file.Recipients...)
	}
	return keys
}

// Identity is what opens an office's documents.
type Identity struct {
	// The identity file that dropslot keygen made, readable by its owner alone.
	File string `yaml:"file" write:"keys/north.key"`
	// The passphrase that the identity file is sealed with.
	Passphrase Secret `yaml:"passphrase"`
}

// Number is what holds for one Twilio number.
type Number struct {
	// The short name of the office that the number belongs to.
	Office string `yaml:"office" jsonschema:"required" write:"north"`
	// What happens to pictures that are texted. seal: fetched, sealed, then
	// erased at Twilio. discard: never fetched, erased at Twilio; the answer
	// asks the client to send them by the link. Default: seal.
	MMS string `yaml:"mms" jsonschema:"enum=seal,enum=discard"`
	// What happens to the words of a text. seal: sealed to the office, kept
	// with the papers, then erased at Twilio. discard: never fetched, erased at
	// Twilio. Default: seal.
	Words string `yaml:"words" jsonschema:"enum=seal,enum=discard"`
	// How long a texted link may be used. Default: the limit link_ttl.
	LinkTTL Duration `yaml:"link_ttl" write:"4h"`
	// The pause between two texts that Dropslot sends by itself: a long code
	// carries one a second, a toll-free number three. Default: 1s.
	Pace Duration `yaml:"pace" write:"1s"`
	// The SID of the messaging service that the number belongs to, if any (MG
	// and 32 hexadecimal digits): texts are sent through it, from this number.
	MessagingService string `yaml:"messaging_service" write:"MG00000000000000000000000000000000"`
	// The subaccount that owns the number, if it is not the account above.
	Account *Account `yaml:"account"`
}

// Account is a Twilio subaccount. It signs with its own token.
type Account struct {
	// The subaccount's SID.
	SID string `yaml:"sid" jsonschema:"required" write:"AC00000000000000000000000000000000"`
	// The subaccount's auth tokens, as for the account itself.
	AuthTokens []Secret `yaml:"auth_tokens" jsonschema:"required" write:"[{env: NORTH_AUTH_TOKEN}]"`
}

// Where an office's pages are sealed.
const (
	BrowserOrServer = "browser-or-server"
	BrowserOnly     = "browser-only"
)

// Whether an office's staff need a second factor.
const (
	SecondFactorRequired = "required"
	SecondFactorOptional = "optional"
)

// The ways to treat texted pictures and words.
const (
	Seal    = "seal"
	Discard = "discard"
)

// Proxies gives the trusted proxies as the standard library's type.
func (c *Config) Proxies() []netip.Prefix {
	proxies := make([]netip.Prefix, len(c.TrustedProxies))
	for i, n := range c.TrustedProxies {
		proxies[i] = netip.Prefix(n)
	}
	return proxies
}

// OfficeIDs gives the offices' short names in alphabetical order.
func (c *Config) OfficeIDs() []string { return sortedKeys(c.Offices) }

// NumbersOf gives an office's numbers in order of digits.
func (c *Config) NumbersOf(office string) []E164 {
	var numbers []E164
	for n, number := range c.Numbers {
		if number.Office == office {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}
