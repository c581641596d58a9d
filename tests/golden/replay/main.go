// Command golden records and replays conversations with a placement driver.
//
//	golden record --server BIN --out DIR scenario.jsonl...   run steps, write the same lines with the answers
//	golden check  --server BIN           recorded.jsonl...   start a fresh server per scenario, compare
//	golden check  --addr URL             recorded.jsonl...   compare against a running server
//	golden setup  --addr URL             fixture.jsonl       bring a fresh server into the fixture's state and keep it there
//	golden pdctl  --addr URL --pdctl BIN pdctl.jsonl         run the recorded control commands after setup, compare
//
// The file format is described in README.md beside the recorded scenarios.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

type options struct {
	mode     string
	addr     string
	server   string
	fresh    string
	out      string
	work     string
	port     int
	jobs     int
	retryMS  int
	maxDiffs int
	verbose  bool
	stale    bool
	extra    string
	pdctl    string
	proto    string
	list     string // file of the pending list
	write    bool   // write the pending list anew instead of judging by it
	pending  pendingList
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	o := &options{mode: os.Args[1]}
	fs := flag.NewFlagSet("golden", flag.ExitOnError)
	fs.StringVar(&o.addr, "addr", "", "client URL of a running server (three, separated by commas, for the 3-member scenarios)")
	fs.StringVar(&o.server, "server", "", "server program; a fresh one is started for every scenario")
	fs.StringVar(&o.extra, "server-args", "", "further arguments for --server, separated by spaces")
	fs.StringVar(&o.fresh, "fresh", "", "shell command that makes the server at --addr fresh; run before every scenario")
	fs.StringVar(&o.pdctl, "pdctl", "", "pdctl: the control program")
	fs.StringVar(&o.out, "out", "", "record: directory for the recorded files")
	fs.StringVar(&o.work, "work", "", "directory for the data of started servers (default: a temporary one)")
	fs.IntVar(&o.port, "port", 0, "first port for started servers (default: free ones)")
	fs.StringVar(&o.proto, "proto", os.Getenv("GOLDEN_PROTO"), "descriptor set of the messages (default: those of the kvproto module)")
	fs.StringVar(&o.list, "pending", "", "check: list of the steps that do not agree yet")
	fs.BoolVar(&o.write, "write-pending", false, "check: write the pending list anew from this run")
	fs.IntVar(&o.jobs, "jobs", 1, "scenarios run side by side (with --server)")
	fs.IntVar(&o.retryMS, "retry-ms", 400, "check: how long a read that differs is asked again")
	fs.IntVar(&o.maxDiffs, "max-diffs", 6, "check: differences printed for one step")
	fs.BoolVar(&o.verbose, "v", false, "print every step")
	fs.BoolVar(&o.stale, "stale", false, "check --addr: run scenarios that need a fresh server on a bootstrapped one, too")
	_ = fs.Parse(os.Args[2:])
	if o.proto != "" {
		die(loadDescriptors(o.proto))
	}
	var err error
	o.pending, err = readPending(o.list)
	die(err)
	if o.work == "" && o.server != "" {
		o.work, err = os.MkdirTemp("", "golden")
		die(err)
		status := o.run(fs)
		_ = os.RemoveAll(o.work)
		os.Exit(status)
	}
	os.Exit(o.run(fs))
}

func die(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// run does what the arguments ask for and returns the exit status.
func (o *options) run(fs *flag.FlagSet) int {
	switch {
	case o.mode == "setup" && fs.NArg() == 1:
		setup(o, fs.Arg(0))
		return 0
	case o.mode == "pdctl" && fs.NArg() > 0 && o.addr != "" && o.pdctl != "":
		return pdctl(o, fs.Args())
	}
	if (o.mode != "record" && o.mode != "check") || (o.server == "" && o.addr == "") || fs.NArg() == 0 {
		usage()
	}
	if o.server == "" {
		o.jobs = 1
	}
	var files []string
	for _, f := range fs.Args() {
		base := filepath.Base(f)
		if strings.HasPrefix(base, "pdctl") || strings.HasPrefix(base, "fixture") {
			continue
		}
		files = append(files, f)
	}
	return o.runFiles(files)
}

func (o *options) runFiles(files []string) int {
	var (
		mu                      sync.Mutex
		passed, failed, skipped int
		wg                      sync.WaitGroup
		failedFiles             []string
	)
	ran, failures := map[string]bool{}, map[place]string{}
	work := make(chan string)
	for j := 0; j < o.jobs; j++ {
		wg.Add(1)
		go func(j int) {
			defer wg.Done()
			for f := range work {
				t := time.Now()
				r := runFile(o, f, j)
				mu.Lock()
				passed += r.passed
				failed += r.failed
				if r.skipped != "" {
					skipped++
					fmt.Printf("SKIP %s: %s\n", filepath.Base(f), r.skipped)
				} else {
					ran[filepath.Base(f)] = true
					for at, what := range r.failures {
						failures[at] = what
					}
					state := "ok  "
					if r.failed > 0 {
						state = "FAIL"
						failedFiles = append(failedFiles, filepath.Base(f))
					}
					fmt.Printf("%s %s: %d passed, %d failed (%.1fs)\n", state, filepath.Base(f), r.passed, r.failed, time.Since(t).Seconds())
				}
				fmt.Print(r.log.String())
				mu.Unlock()
			}
		}(j)
	}
	for _, f := range files {
		work <- f
	}
	close(work)
	wg.Wait()
	if skipped > 0 {
		fmt.Printf("%d scenarios skipped\n", skipped)
	}
	if len(failedFiles) > 0 {
		fmt.Printf("scenarios with differences: %s\n", strings.Join(failedFiles, " "))
	}
	return o.verdict(passed, failed, ran, failures)
}

// verdict prints the last line and returns the exit status.
func (o *options) verdict(passed, failed int, ran map[string]bool, failures map[place]string) int {
	if o.list == "" {
		fmt.Printf("%d passed, %d failed\n", passed, failed)
		return min(failed, 1)
	}
	if o.write {
		die(o.pending.write(o.list, ran, failures))
		fmt.Printf("%d passed, %d written to %s\n", passed, failed, o.list)
		return 0
	}
	die(o.pending.checkPlaces(filepath.Dir(o.list)))
	agree := o.pending.judge(ran, failures)
	fmt.Printf("%d passed, %d failed, %d listed as pending\n", passed, failed, len(o.pending))
	if !agree {
		return 1
	}
	return 0
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: golden record|check (--server BIN | --addr URL [--fresh CMD]) [--out DIR] file.jsonl...")
	os.Exit(2)
}
