package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"dropslot/config"
)

// composeFile is what the test reads of compose.yaml.
type composeFile struct {
	Services map[string]struct {
		Image    string
		Command  []string
		Ports    []string
		Networks []string
	}
	Networks map[string]struct {
		IPAM struct {
			Config []struct{ Subnet, Gateway string }
		} `yaml:"ipam"`
	}
}

func readCompose(t *testing.T) (text string, c composeFile) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, &c); err != nil {
		t.Fatal(err)
	}
	return string(content), c
}

// Every command line that the file holds, run and told, is one that Dropslot
// understands.
func TestComposeCommandsAreOurs(t *testing.T) {
	text, c := readCompose(t)
	lines := map[string][]string{}
	for name, service := range c.Services {
		if service.Image == "dropslot" {
			lines[name] = service.Command
		}
	}
	told := regexp.MustCompile(`(?m)^#   docker compose run --rm (\w+) (\w.*)$`).FindAllStringSubmatch(text, -1)
	for _, line := range told {
		if _, known := c.Services[line[1]]; !known {
			t.Errorf("there is no service %q", line[1])
		}
		lines["told: "+line[2]] = strings.Fields(line[2])
	}
	if len(lines) != 5 { // intake, desk, worker, keygen; staff add
		t.Errorf("%d command lines", len(lines))
	}
	for name, line := range lines {
		command, args, err := newRoot(streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard}).Find(line)
		if err == nil {
			err = command.ParseFlags(args)
		}
		if err == nil {
			err = command.ValidateRequiredFlags()
		}
		if err == nil {
			err = command.ValidateArgs(command.Flags().Args())
		}
		if err != nil || !command.Runnable() {
			t.Errorf("%s: %v: %v", name, line, err)
		}
	}
}

// The configuration that the file tells to write fits its networks: the
// gateway is who every connection comes from, and the ports are those published.
func TestComposeConfigurationFits(t *testing.T) {
	text, c := readCompose(t)
	outside := c.Networks["outside"].IPAM.Config
	if len(outside) != 1 || !strings.Contains(text, "#     trusted_proxies: ["+outside[0].Gateway+"] ") {
		t.Errorf("trusted_proxies does not name the gateway of %v", outside)
	}
	for _, want := range []string{`#     listen: {intake: ":8080", desk: ":8081", ops: ":9090"}`, "#     data_dir: /data\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the file does not tell %q", want)
		}
	}
	for name, port := range map[string]string{"intake": ":8080", "desk": ":8081"} {
		ports := c.Services[name].Ports
		if len(ports) != 1 || !strings.HasSuffix(ports[0], port) || !strings.HasPrefix(ports[0], "127.0.0.1:") {
			t.Errorf("%s publishes %v", name, ports)
		}
	}
	for name, service := range c.Services {
		for _, port := range service.Ports {
			if strings.HasSuffix(port, ":9090") {
				t.Errorf("%s publishes health and metrics", name)
			}
		}
	}
	if _, err := config.ParseAddress(":9090"); err != nil {
		t.Error(err)
	}
}
