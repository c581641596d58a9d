package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// A step is known by its file and line.
type place struct {
	file string
	line int
}

// pendingList is pending.tsv: the steps that are known not to agree yet, each with the feature that is missing.
// A listed step that agrees fails the run just as an unlisted one that does not.
type pendingList map[place]string

func readPending(file string) (pendingList, error) {
	list := pendingList{}
	if file == "" {
		return list, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		l := s.Text()
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		c := strings.Split(l, "\t")
		if len(c) != 3 || c[2] == "" {
			return nil, fmt.Errorf("%s:%d: want file, line and missing feature, separated by tabs", file, n)
		}
		line, err := strconv.Atoi(c[1])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %q is no line number", file, n, c[1])
		}
		at := place{c[0], line}
		if _, twice := list[at]; twice {
			return nil, fmt.Errorf("%s:%d: %s line %d is listed twice", file, n, c[0], line)
		}
		list[at] = c[2]
	}
	return list, s.Err()
}

const pendingHead = `# Steps whose answer does not agree yet: file, line, missing feature. tests/golden/run.sh pending writes this file anew
# from a run and keeps the reasons. A listed step that agrees, or an unlisted one that does not, fails the golden test.
`

// write stores the steps that did not agree in the files of this run; entries of other files stay as they are. A step
// that was listed keeps its reason, a new one gets its request as the reason.
func (p pendingList) write(file string, ran map[string]bool, failures map[place]string) error {
	out := pendingList{}
	for at, why := range p {
		if !ran[at.file] {
			out[at] = why
		}
	}
	for at, what := range failures {
		if why, listed := p[at]; listed {
			what = why
		}
		out[at] = what
	}
	places := make([]place, 0, len(out))
	for at := range out {
		places = append(places, at)
	}
	sort.Slice(places, func(i, j int) bool {
		if places[i].file != places[j].file {
			return places[i].file < places[j].file
		}
		return places[i].line < places[j].line
	})
	var b strings.Builder
	b.WriteString(pendingHead)
	for _, at := range places {
		fmt.Fprintf(&b, "%s\t%d\t%s\n", at.file, at.line, out[at])
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// judge prints what the list and the run disagree about and says whether they agree.
func (p pendingList) judge(ran map[string]bool, failures map[place]string) bool {
	var lines []string
	for at, what := range failures {
		if _, listed := p[at]; !listed {
			lines = append(lines, fmt.Sprintf("DIFFERS %s line %d: %s", at.file, at.line, what))
		}
	}
	for at, why := range p {
		if _, failed := failures[at]; ran[at.file] && !failed {
			lines = append(lines, fmt.Sprintf("AGREES, take it off the list: %s line %d (%s)", at.file, at.line, why))
		}
	}
	sort.Strings(lines)
	for _, l := range lines {
		fmt.Println(l)
	}
	return len(lines) == 0
}

// checkPlaces fails for entries that name no file that is there.
func (p pendingList) checkPlaces(dir string) error {
	for at := range p {
		if _, err := os.Stat(filepath.Join(dir, at.file)); err != nil {
			return fmt.Errorf("pending list: %w", err)
		}
	}
	return nil
}

// fail notes a step that does not agree; text is logged unless the step is known to be pending.
func (r *runner) fail(line int, what, text string) {
	at := place{filepath.Base(r.file), line}
	if _, twice := r.res.failures[at]; !twice {
		r.res.failed++
		r.res.failures[at] = what
	}
	if _, listed := r.o.pending[at]; listed && !r.o.verbose {
		return
	}
	r.res.log.WriteString(text)
}

// feature names what a step asks for, as the first guess at what is missing.
func feature(st *step) string {
	switch {
	case st.Include != "":
		return "include " + st.Include
	case st.GRPC != "" || st.WaitGRPC != "":
		return st.GRPC + st.WaitGRPC
	case st.HTTP != "" || st.WaitHTTP != "":
		path, _, _ := strings.Cut(st.HTTP+st.WaitHTTP, "?")
		return path
	case st.StreamRecv != "":
		return "stream " + st.StreamRecv
	case st.Stream != "":
		return st.Stream
	}
	return "kill or restart"
}
