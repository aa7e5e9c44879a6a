package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// house is what all parts of the benchmark share: a folder on a real disk, a
// real Redis, the product's binary, and one configuration with its keys.
type house struct {
	folder    string
	binary    string
	publicURL string // what Twilio would sign; never connected to
	redis     *process
	redisURL  string
	started   int
}

const office = "north"

// openHouse builds the product and prepares everything that it needs.
func openHouse(ctx context.Context, folder string) (*house, error) {
	h := &house{folder: folder, binary: filepath.Join(folder, "dropslot"), publicURL: "http://127.0.0.1:8080"}
	build := exec.CommandContext(ctx, "go", "build", "-o", h.binary, "dropslot/cmd/dropslot")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the product: %w\n%s", err, out)
	}
	if err := os.MkdirAll(filepath.Join(folder, "data"), 0o700); err != nil {
		return nil, err
	}
	keygen := exec.CommandContext(ctx, h.binary, "keygen", "--office", office,
		"--out", filepath.Join(folder, "data", "keys"), "--recovery-out", filepath.Join(folder, "recovery"))
	keygen.Env = append(os.Environ(), "DROPSLOT_PASSPHRASE=only for the benchmark")
	if out, err := keygen.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make keys: %w\n%s", err, out)
	}
	if err := h.startRedis(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

// startRedis runs a redis-server as an operator would: it evicts nothing and
// syncs its log every second.
func (h *house) startRedis(ctx context.Context) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	folder := filepath.Join(h.folder, "redis")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return errors.New("redis-server is missing; on Debian or Ubuntu: apt-get install redis-server")
	}
	_, port, _ := cutPort(address)
	h.redisURL = "redis://" + address + "/0"
	h.redis, err = start(ctx, "redis-server", address, nil, program, "--bind", "127.0.0.1", "--port", port,
		"--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
	return err
}

// The limits are those of the product but for those on texts, which a load
// from one number to one office reaches at once.
const configuration = `public_url: %[1]s
data_dir: %[2]s
listen: {intake: %[3]q, desk: %[4]q, ops: %[5]q}
desk_url: http://127.0.0.1:8081
trusted_proxies: ["127.0.0.1/32"]
redis: {url: %[6]q}
records: {url: "sqlite:records.db"}
vault: {url: "file:vault"}
link_key: {file: keys/link.key}
twilio:
  account_sid: %[7]s
  auth_tokens: [{env: BENCH_AUTH_TOKEN}]
  api_url: http://127.0.0.1:9
countries: [US]
offices:
  north:
    name: North County Benefits
    phone: "+15551230199"
    recipients: [{file: keys/north.pub}, {file: keys/north-recovery.pub}]
    identity: {file: keys/north.key, passphrase: {env: BENCH_PASSPHRASE}}
    languages: [en, es]
    timezone: America/Chicago
    second_factor: optional
    daily_spend: 900000
    asks: [photo-id, pay-stub, other]
numbers:
  %[8]q: {office: north}
limits: {number_per_hour: 100000000}
`

// startIntake runs one `dropslot serve --role intake` on the shared records,
// vault and Redis.
func (h *house) startIntake(ctx context.Context) (*process, error) {
	var addresses [3]string
	for i := range addresses {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		addresses[i] = address
	}
	h.started++
	file := filepath.Join(h.folder, fmt.Sprintf("dropslot-%d.yaml", h.started))
	text := fmt.Sprintf(configuration, h.publicURL, filepath.Join(h.folder, "data"),
		addresses[0], addresses[1], addresses[2], h.redisURL, accountSID, ourNumber)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	secrets := []string{"BENCH_AUTH_TOKEN=" + authToken}
	p, err := start(ctx, "intake", addresses[0], secrets, h.binary, "serve", "-c", file, "--role", "intake")
	if err != nil {
		return nil, fmt.Errorf("intake: %w", err)
	}
	return p, nil
}
