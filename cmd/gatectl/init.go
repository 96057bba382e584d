package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
)

func initCommand() *cobra.Command {
	var region, gate string
	var hosts, others []string
	var cold bool
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a region, a gate and all their keys in a new folder, ready to run",
		Long: `init makes a folder with what one region and one of its gates need: keys of the region's
signer, of its issuers and of the gate, a signed trust list and a signed policy, the
regional server's certificate, and both settings files.

Keep root.signer and the issuers' keys off the gate: a gate needs only the trust folder
and gate/.`,
		Example: `  gatectl init lab --region CN-330100 --gate hangzhou-east-7
  regiond --config lab/region/region.toml
  gated --config lab/gate/gate.toml`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`).MatchString(gate) {
				return daemon.UsageError{Err: fmt.Errorf("--gate %q: a gate's name has a to z, 0 to 9 and hyphens, at most 64", gate)}
			}
			dir, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
				return daemon.UsageError{Err: fmt.Errorf("%s is not empty: init makes new keys and puts them beside no old ones", dir)}
			}
			var known []gatehouse.Issuer
			for _, o := range others {
				known = append(known, gatehouse.Issuer(o))
			}
			k, err := newKit(gatehouse.Issuer(region), known...)
			if err != nil {
				return err
			}
			k.cold = cold
			if err := k.write(dir, hosts, time.Now()); err != nil {
				return err
			}
			place := settingsOf{dir: dir, gate: gate, region: k.region, root: k.root,
				regionListen: "127.0.0.1:8443", regionURL: "https://127.0.0.1:8443", consoleListen: "127.0.0.1:8440",
				camera: "v4l2:/dev/video0", thermometer: "mlx90614:/dev/i2c-1", barrier: "note:", lights: "none"}
			if cold {
				place.thermometer = "none"
			}
			if err := place.write(k); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "made %s\n\n  regiond --config %s\n  gated   --config %s\n\n"+
				"Set camera, thermometer and barrier in the second. Keep root.signer and issuer-*.key off the gate.\n",
				dir, filepath.Join(dir, "region/region.toml"), filepath.Join(dir, "gate/gate.toml"))
			return nil
		},
	}
	c.Flags().StringVar(&region, "region", "CN-330100", "the region, as country and GB/T 2260 division")
	c.Flags().StringVar(&gate, "gate", "gate-1", "name of the gate")
	c.Flags().BoolVar(&cold, "no-thermometer", false, "the gate has none, and the policy asks for no temperature")
	c.Flags().StringSliceVar(&hosts, "host", []string{"127.0.0.1", "localhost"}, "names under which gates reach the regional server")
	c.Flags().StringSliceVar(&others, "issuer", nil, "other regions whose codes are made and accepted here")
	return c
}

// settingsOf is where the two daemons of one kit find things.
type settingsOf struct {
	dir, gate                              string
	region                                 gatehouse.Issuer
	root                                   string
	regionListen, regionURL, consoleListen string
	camera, thermometer, barrier, lights   string
	beat                                   string
	guardName, guardPIN                    string
}

// write puts gate.toml and region.toml beside the keys they name.
func (s settingsOf) write(k *kit) error {
	public, err := publicKey(k.gate)
	if err != nil {
		return err
	}
	var gate strings.Builder
	fmt.Fprintf(&gate, "# One gate. Every key is explained in firmware/etc/gate.toml.\n"+
		"name = %q\nbook = %q\ncamera = %q\nthermometer = %q\nbarrier = %q\nlights = %q\n",
		s.gate, filepath.Join(s.dir, "gate/book.db"), s.camera, s.thermometer, s.barrier, s.lights)
	fmt.Fprintf(&gate, "\n[trust]\nfolder = %q\nroot = %q\n\n[console]\nlisten = %q\n",
		filepath.Join(s.dir, "trust"), s.root, s.consoleListen)
	fmt.Fprintf(&gate, "\n[region]\nurl = %q\nca = %q\nkey = %q\n", s.regionURL,
		filepath.Join(s.dir, "region/region.pem"), filepath.Join(s.dir, "gate/gate.key"))
	if s.beat != "" {
		fmt.Fprintf(&gate, "beat = %q\nlongest_wait = %q\n", s.beat, s.beat)
	}
	if s.guardName != "" {
		fmt.Fprintf(&gate, "\n[[guard]]\nname = %q\npin = %q\n", s.guardName, s.guardPIN)
	}
	if err := writeNew(filepath.Join(s.dir, "gate/gate.toml"), []byte(gate.String())); err != nil {
		return err
	}
	region := fmt.Sprintf("# One region. Every key is explained in firmware/etc/region.toml.\n"+
		"region = %q\nlisten = %q\nledger = %q\ncertificate = %q\nkey = %q\n\n[[gate]]\nname = %q\nkey = '''\n%s'''\n",
		s.region, s.regionListen, filepath.Join(s.dir, "region/ledger.db"), filepath.Join(s.dir, "region/region.pem"),
		filepath.Join(s.dir, "region/region.key"), s.gate, public)
	return writeNew(filepath.Join(s.dir, "region/region.toml"), []byte(region))
}
