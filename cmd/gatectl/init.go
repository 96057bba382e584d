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
	"gatehouse/credential"
)

func initCommand() *cobra.Command {
	var region, gate string
	var hosts, others, algorithms []string
	var cold bool
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a nation, a region, a gate and all their keys in a new folder, ready to run",
		Long: `init makes a laboratory: a nation's signed repository with a role of its own for each region
and for firmware, each signed by two of three people; keys of issuers, of the regional
server and of one gate; the policy; and both settings files. The gate has adopted the
repository already, and starts without a link.

  people/        the keys of who signs: apart from each other and offline, in earnest
  issuer-*.key   what regions sign codes with: at the issuer's server alone
  nation/        the repository: public, what regiond serves and a stick carries
  regions/       what each region says, to be changed and published anew
  root.json      what each gate is given to begin with
  trust/ gate/   the gate's own: it needs these, root.json and region/region.pem
  region/        the regional server's own

A change is drafted with 'gatectl trust publish', signed with 'gatectl trust sign' by two of
the region's people, and handed out with 'gatectl trust refresh'.`,
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
			k, err := laboratoryKit(region, others, algorithms)
			if err != nil {
				return err
			}
			k.cold = cold
			if err := k.write(dir, hosts, time.Now()); err != nil {
				return err
			}
			place := settingsOf{dir: dir, gate: gate, region: k.region, trustBeat: "5m",
				regionListen: "127.0.0.1:8443", regionURL: "https://127.0.0.1:8443", consoleListen: "127.0.0.1:8440",
				camera: "v4l2:/dev/video0", thermometer: "mlx90614:/dev/i2c-1", barrier: "note:", lights: "none"}
			if cold {
				place.thermometer = "none"
			}
			if err := place.write(k); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "made %s\n\n  regiond --config %s\n  gated   --config %s\n\n"+
				"Set camera, thermometer and barrier in the second. people/ and issuer-*.key belong offline, or at the\n"+
				"issuer's server: not on the gate, not on the regional server.\n",
				dir, filepath.Join(dir, "region/region.toml"), filepath.Join(dir, "gate/gate.toml"))
			return nil
		},
	}
	c.Flags().StringVar(&region, "region", "CN-330100", "the region, as country and GB/T 2260 division")
	c.Flags().StringVar(&gate, "gate", "gate-1", "name of the gate")
	c.Flags().BoolVar(&cold, "no-thermometer", false, "the gate has none, and the policy asks for no temperature")
	c.Flags().StringSliceVar(&hosts, "host", []string{"127.0.0.1", "localhost"}, "names under which gates reach the regional server")
	c.Flags().StringSliceVar(&others, "issuer", nil, "other regions whose codes are made and accepted here")
	c.Flags().StringSliceVar(&algorithms, "also", nil, "further keys of the region: eddsa, sm2, and travel for an operator's travel codes")
	return c
}

// laboratoryKit makes the kit that the flags ask for.
func laboratoryKit(region string, others, also []string) (*kit, error) {
	var known []gatehouse.Issuer
	for _, o := range others {
		known = append(known, gatehouse.Issuer(o))
	}
	k, err := newKit(gatehouse.Issuer(region), known...)
	if err != nil {
		return nil, err
	}
	for _, word := range also {
		switch word {
		case "eddsa", "sm2":
			err = k.addKey(k.region, "issuer-"+region+"-"+word, word, credential.UseHealthCode)
		case "travel":
			err = k.addKey(k.region, "travel-"+region, "es256", credential.UseTravelCode)
		default:
			err = daemon.UsageError{Err: fmt.Errorf("--also %q: want eddsa, sm2 or travel", word)}
		}
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

// settingsOf is where the two daemons of one kit find things.
type settingsOf struct {
	dir, gate                              string
	region                                 gatehouse.Issuer
	regionListen, regionURL, consoleListen string
	camera, thermometer, barrier, lights   string
	beat, trustBeat                        string // of the book's delivery; of the looks for new signed files
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
	fmt.Fprintf(&gate, "\n[trust]\nfolder = %q\nroot = %q\nsite = %q\nbeat = %q\n\n[console]\nlisten = %q\n",
		filepath.Join(s.dir, "trust"), filepath.Join(s.dir, "root.json"), s.region, s.trustBeat, s.consoleListen)
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
		"region = %q\nlisten = %q\nledger = %q\ncertificate = %q\nkey = %q\nrepository = %q\n\n[[gate]]\nname = %q\nkey = '''\n%s'''\n",
		s.region, s.regionListen, filepath.Join(s.dir, "region/ledger.db"), filepath.Join(s.dir, "region/region.pem"),
		filepath.Join(s.dir, "region/region.key"), filepath.Join(s.dir, "nation"), s.gate, public)
	return writeNew(filepath.Join(s.dir, "region/region.toml"), []byte(region))
}
