package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// newRunner makes a runner for a server that is there already, or starts one.
func newRunner(o *options, file string) (*runner, error) {
	r := &runner{o: o, res: &result{failures: map[place]string{}}, streams: map[string]*stream{}, vars: map[string]string{}, olds: map[string]string{}, ids: map[string]string{}, file: file}
	r.h.Members = 1
	var err error
	if o.server != "" {
		if r.g, err = startGroup(o, 9, 1, ""); err != nil {
			return nil, err
		}
	} else {
		r.g = &group{addrs: strings.Split(o.addr, ",")}
	}
	if err := waitReady(r.g.addrs, 40*time.Second); err != nil {
		r.g.stop()
		return nil, err
	}
	return r, r.learn()
}

// setup runs a fixture and then repeats its store heartbeats until it is interrupted.
func setup(o *options, file string) {
	r, err := newRunner(o, file)
	if err == nil {
		defer r.g.stop()
		err = r.include(&step{Include: filepath.Base(file)})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if r != nil {
			r.g.stop()
		}
		os.Exit(1)
	}
	fmt.Println("ready", strings.Join(r.g.addrs, ","))
	lines, _ := readLines(file)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	for {
		select {
		case <-stop:
			return
		case <-time.After(5 * time.Second):
		}
		for _, l := range lines {
			s := &step{}
			if strict(l, s) == nil && s.GRPC == "pdpb.PD/StoreHeartbeat" {
				_, _ = r.call(s)
			}
		}
	}
}

type command struct {
	Cmd       []string `json:"cmd"`
	Note      string   `json:"note,omitempty"`
	Mask      []string `json:"mask,omitempty"`
	Unordered []string `json:"unordered,omitempty"`
	Exit      *int     `json:"exit,omitempty"`
	Stdout    *string  `json:"stdout,omitempty"`
	Stderr    *string  `json:"stderr,omitempty"`
}

// pdctl runs the commands in order against one server; with --out it records them.
func pdctl(o *options, files []string) int {
	passed, failed := 0, 0
	ran, failures := map[string]bool{}, map[place]string{}
	r, err := newRunner(o, files[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, f := range files {
		lines, err := readLines(f)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		var out bytes.Buffer
		ran[filepath.Base(f)] = true
		for i, l := range lines {
			c := &command{}
			if err := strict(l, c); err != nil {
				fmt.Fprintf(os.Stderr, "%s line %d: %v\n", f, i+1, err)
				os.Exit(1)
			}
			stdout, stderr, exit := r.control(c)
			if o.out != "" {
				c.Exit, c.Stdout, c.Stderr = &exit, &stdout, nil
				if stderr != "" {
					c.Stderr = &stderr
				}
				out.Write(append(marshal(c), '\n'))
				passed++
				continue
			}
			diffs := r.compareCommand(c, stdout, stderr, exit)
			if len(diffs) == 0 {
				passed++
				continue
			}
			failed++
			at := place{filepath.Base(f), i + 1}
			failures[at] = "pdctl " + strings.Join(c.Cmd, " ")
			if _, listed := o.pending[at]; listed && !o.verbose {
				continue
			}
			fmt.Printf("  FAIL %s line %d: %s\n", filepath.Base(f), i+1, strings.Join(c.Cmd, " "))
			for k, d := range diffs {
				if k == o.maxDiffs {
					break
				}
				fmt.Println("      ", d)
			}
		}
		if o.out != "" {
			if err := os.WriteFile(o.out, out.Bytes(), 0o644); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	r.g.stop()
	return o.verdict(passed, failed, ran, failures)
}

func (r *runner) control(c *command) (string, string, int) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	args := append([]string{}, c.Cmd...)
	for i := range args {
		args[i] = string(r.expand([]byte(args[i])))
	}
	if len(args) == 0 || !contains(args, "-u") {
		args = append([]string{"-u", r.g.addrs[0]}, args...)
	}
	cmd := exec.CommandContext(ctx, r.o.pdctl, args...)
	var so, se bytes.Buffer
	cmd.Stdout, cmd.Stderr = &so, &se
	cmd.Env = append(os.Environ(), "TZ=UTC")
	exit := 0
	if err := cmd.Run(); err != nil {
		var ee *exec.ExitError
		if errors.As(err, &ee) {
			exit = ee.ExitCode()
		} else {
			exit = -1
		}
	}
	return r.tidy(so.String()), r.tidy(se.String()), exit
}

func contains(l []string, s string) bool {
	for _, x := range l {
		if x == s {
			return true
		}
	}
	return false
}

var numberRE = regexp.MustCompile(`("(?:last_heartbeat|created_at|state_changed_at|create_timestamp)": )\d+`)

// tidy puts placeholders into a command's output and blanks what always varies.
func (r *runner) tidy(s string) string {
	s = numberRE.ReplaceAllString(r.repl.Replace(s), "$1\"<varies>\"")
	keys := []string{"data-dir", "filename"}
	for k := range autoMask {
		keys = append(keys, k)
	}
	for _, k := range keys {
		for from := 0; ; {
			i := strings.Index(s[from:], "\""+k+"\": \"")
			if i < 0 {
				break
			}
			i += from + len(k) + 5
			j := strings.IndexByte(s[i:], '"')
			if j < 0 {
				break
			}
			if v := s[i : i+j]; !given(v) {
				s = s[:i] + varies + s[i+j:]
			}
			from = i + 1
		}
	}
	return s
}

func (r *runner) compareCommand(c *command, stdout, stderr string, exit int) []string {
	var diffs []string
	if c.Exit != nil && *c.Exit != exit {
		diffs = append(diffs, fmt.Sprintf("exit: want %d, got %d", *c.Exit, exit))
	}
	cmp := func(what string, want *string, got string) {
		w := ""
		if want != nil {
			w = *want
		}
		k := &comparer{masks: c.Mask, unordered: c.Unordered}
		wj, err1 := decodeJSON([]byte(w))
		gj, err2 := decodeJSON([]byte(got))
		if err1 != nil || err2 != nil {
			wj, gj = w, got
		}
		for _, d := range k.compare(wj, gj) {
			diffs = append(diffs, what+" "+d)
		}
	}
	cmp("stdout", c.Stdout, stdout)
	cmp("stderr", c.Stderr, stderr)
	return diffs
}
