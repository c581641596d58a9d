package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
)

type header struct {
	Scenario  string   `json:"scenario"`
	Area      string   `json:"area,omitempty"`
	About     string   `json:"about,omitempty"`
	Members   int      `json:"members,omitempty"`
	Config    string   `json:"config,omitempty"`
	Any       bool     `json:"any_state,omitempty"`
	Mask      []string `json:"mask,omitempty"`
	Unordered []string `json:"unordered,omitempty"`
}

type step struct {
	Include    string            `json:"include,omitempty"`
	Note       string            `json:"note,omitempty"`
	To         string            `json:"to,omitempty"`
	GRPC       string            `json:"grpc,omitempty"`
	Request    json.RawMessage   `json:"request,omitempty"`
	NoHeader   bool              `json:"no_header,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	Stream     string            `json:"stream,omitempty"`
	ID         string            `json:"id,omitempty"`
	Send       json.RawMessage   `json:"send,omitempty"`
	StreamRecv string            `json:"stream-recv,omitempty"`
	WithinMS   int               `json:"within_ms,omitempty"`
	StreamEnd  string            `json:"stream-close,omitempty"`
	HTTP       string            `json:"http,omitempty"`
	Body       json.RawMessage   `json:"body,omitempty"`
	BodyRaw    *string           `json:"body_raw,omitempty"`
	Headers    map[string]string `json:"headers,omitempty"`
	WaitHTTP   string            `json:"wait-http,omitempty"`
	WaitGRPC   string            `json:"wait-grpc,omitempty"`
	Until      map[string]any    `json:"until,omitempty"`
	SleepMS    int               `json:"sleep_ms,omitempty"`
	Kill       string            `json:"kill,omitempty"`
	Restart    string            `json:"restart,omitempty"`
	Mask       []string          `json:"mask,omitempty"`
	Unordered  []string          `json:"unordered,omitempty"`
	Save       map[string]string `json:"save,omitempty"`
	Eventually int               `json:"eventually_ms,omitempty"`
	Answer     json.RawMessage   `json:"answer,omitempty"`
}

type result struct {
	passed, failed int
	failures       map[place]string // where, and what was asked there
	skipped        string
	log            bytes.Buffer
}

type runner struct {
	o       *options
	h       header
	g       *group
	c       conns
	res     *result
	streams map[string]*stream
	vars    map[string]string // live values
	olds    map[string]string // recorded value -> variable
	cluster string
	repl    *strings.Replacer
	ids     map[string]string // member id -> placeholder
	lastTSO [2]int64
	file    string
}

type info struct {
	cluster, leader string
	names           []string
	ids             []string
	client, peer    []string
}

func clusterInfo(cc *grpc.ClientConn) (r info) {
	v, err := callUnary(cc, "pdpb.PD/GetMembers", nil, nil, 3*time.Second)
	if err != nil {
		return
	}
	resp, _ := get(v, "response").(map[string]any)
	if resp == nil {
		return
	}
	r.cluster, _ = get(resp, "header", "cluster_id").(string)
	ms, _ := resp["members"].([]any)
	sort.Slice(ms, func(i, j int) bool { return str(get(ms[i], "name")) < str(get(ms[j], "name")) })
	for _, m := range ms {
		r.names = append(r.names, str(get(m, "name")))
		r.ids = append(r.ids, str(get(m, "member_id")))
		r.client = append(r.client, first(get(m, "client_urls")))
		r.peer = append(r.peer, first(get(m, "peer_urls")))
	}
	r.leader = first(get(resp, "leader", "client_urls"))
	return
}

func str(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case json.Number:
		return t.String()
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

func first(v any) string {
	if l, ok := v.([]any); ok && len(l) > 0 {
		return str(l[0])
	}
	return ""
}

func get(v any, path ...string) any {
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

func readLines(file string) ([]json.RawMessage, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []json.RawMessage
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		l := bytes.TrimSpace(s.Bytes())
		if len(l) == 0 || l[0] == '#' {
			continue
		}
		out = append(out, append([]byte(nil), l...))
	}
	return out, s.Err()
}

func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	d.UseNumber()
	return d.Decode(v)
}

func runFile(o *options, file string, job int) *result {
	r := &runner{o: o, res: &result{failures: map[place]string{}}, streams: map[string]*stream{}, vars: map[string]string{}, olds: map[string]string{}, ids: map[string]string{}, file: file}
	fail := func(err error) *result {
		r.fail(1, "start", fmt.Sprintf("  %s: %v\n", filepath.Base(file), err))
		return r.res
	}
	lines, err := readLines(file)
	if err != nil || len(lines) == 0 {
		return fail(fmt.Errorf("cannot read: %v", err))
	}
	if err := strict(lines[0], &r.h); err != nil {
		return fail(fmt.Errorf("line 1: %w", err))
	}
	if r.h.Members == 0 {
		r.h.Members = 1
	}
	if o.server != "" {
		if r.g, err = startGroup(o, job, r.h.Members, r.h.Config); err != nil {
			return fail(err)
		}
		defer r.g.stop()
	} else {
		r.g = &group{addrs: strings.Split(o.addr, ",")}
		if len(r.g.addrs) < r.h.Members {
			r.res.skipped = fmt.Sprintf("needs %d members", r.h.Members)
			return r.res
		}
		if o.fresh != "" {
			if out, err := exec.Command("sh", "-c", o.fresh).CombinedOutput(); err != nil {
				return fail(fmt.Errorf("--fresh: %v: %s", err, out))
			}
		}
	}
	if err := waitReady(r.g.addrs, 40*time.Second); err != nil {
		return fail(err)
	}
	defer r.c.close()
	if err := r.learn(); err != nil {
		return fail(err)
	}
	if o.server == "" && o.fresh == "" && !o.stale && !r.h.Any {
		cc, _ := r.c.get(r.g.addrs[0])
		v, _ := callUnary(cc, "pdpb.PD/IsBootstrapped", json.RawMessage(fmt.Sprintf(`{"header":{"cluster_id":"%s"}}`, r.cluster)), nil, 3*time.Second)
		if get(v, "response", "bootstrapped") == true {
			r.res.skipped = "needs a fresh server (use --server or --fresh)"
			return r.res
		}
	}
	out := [][]byte{lines[0]}
	for i, raw := range lines[1:] {
		st := &step{}
		if err := strict(raw, st); err != nil {
			return fail(fmt.Errorf("line %d: %w", i+2, err))
		}
		ans, err := r.do(st, i+2)
		if err != nil {
			r.fail(i+2, feature(st), fmt.Sprintf("  %s: line %d: %v\n", filepath.Base(file), i+2, err))
			continue
		}
		if o.mode == "record" {
			st.Answer = nil
			if ans != nil {
				st.Answer = marshal(blank(ans))
			}
			out = append(out, marshal(st))
			if st.Include == "" && ans != nil {
				r.res.passed++
			}
		}
	}
	for _, s := range r.streams {
		s.cancel()
	}
	if o.mode == "record" && o.out != "" {
		_ = os.MkdirAll(o.out, 0o755)
		if err := os.WriteFile(filepath.Join(o.out, filepath.Base(file)), append(bytes.Join(out, []byte("\n")), '\n'), 0o644); err != nil {
			return fail(err)
		}
	}
	return r.res
}

func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSpace(b.Bytes())
}

// learn finds the ids and addresses that become placeholders in recorded text.
func (r *runner) learn() error {
	cc, err := r.c.get(r.g.addrs[0])
	if err != nil {
		return err
	}
	in := clusterInfo(cc)
	// A member that has just started may not have made its addresses known yet.
	for try := 0; try < 100 && slices.Contains(in.client, ""); try++ {
		time.Sleep(50 * time.Millisecond)
		in = clusterInfo(cc)
	}
	if in.cluster == "" {
		return fmt.Errorf("GetMembers gives no cluster id")
	}
	r.cluster = in.cluster
	var pairs []string
	for i := range in.names {
		n := fmt.Sprintf("pd%d", i+1)
		strip := func(u string) string { return strings.TrimPrefix(strings.TrimPrefix(u, "http://"), "https://") }
		if in.client[i] != "" {
			pairs = append(pairs, strip(in.client[i]), "<"+n+"-client>")
		}
		if in.peer[i] != "" {
			pairs = append(pairs, strip(in.peer[i]), "<"+n+"-peer>")
		}
		if in.ids[i] != "" && in.ids[i] != "0" {
			r.ids[in.ids[i]] = "<" + n + "-id>"
			pairs = append(pairs, in.ids[i], "<"+n+"-id>")
		}
		if in.names[i] != n {
			r.ids[in.names[i]] = n
		}
	}
	if r.g.dir != "" {
		pairs = append(pairs, r.g.dir, "<dir>")
	}
	r.ids[in.cluster] = "<cluster>"
	pairs = append(pairs, in.cluster, "<cluster>")
	r.repl = strings.NewReplacer(pairs...)
	return nil
}

var (
	beatRE = regexp.MustCompile(`last_heartbeat:\d+`)
	timeRE = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|[+-]\d\d:?\d\d))?( [A-Z]{3,4})?( m=[+-][\d.]+)?`)
	portRE = regexp.MustCompile(`127\.0\.0\.1:(3\d{4}|4\d{4}|5\d{4}|6\d{4})`)
)

func (r *runner) normText(s string) string {
	if p, ok := r.ids[s]; ok {
		return p
	}
	if strings.HasPrefix(s, "PANIC: ") {
		s, _, _ = strings.Cut(s, "\n")
	}
	s = beatRE.ReplaceAllString(s, "last_heartbeat:<varies>")
	return r.repl.Replace(s)
}

// norm replaces ids and addresses of this run by placeholders.
func (r *runner) norm(v any) any {
	switch t := v.(type) {
	case map[string]any:
		o := make(map[string]any, len(t))
		for k, e := range t {
			o[r.normText(k)] = r.norm(e)
		}
		return o
	case []any:
		for i := range t {
			t[i] = r.norm(t[i])
		}
		return t
	case string:
		return r.normText(t)
	case json.Number:
		if p, ok := r.ids[t.String()]; ok && len(t.String()) > 6 {
			return p
		}
	}
	return v
}

func (r *runner) target(to string) (string, error) {
	switch {
	case to == "" && r.h.Members == 1:
		return r.g.addrs[0], nil
	case strings.HasPrefix(to, "pd"):
		n, err := strconv.Atoi(to[2:])
		if err != nil || n < 1 || n > len(r.g.addrs) {
			return "", fmt.Errorf("no member %s", to)
		}
		return r.g.addrs[n-1], nil
	}
	lead, err := r.leader()
	if err != nil {
		return "", err
	}
	if to == "" || to == "leader" {
		return lead, nil
	}
	want := 1
	if to == "follower2" {
		want = 2
	} else if to != "follower" {
		return "", fmt.Errorf("unknown target %s", to)
	}
	for _, a := range r.g.addrs {
		if a != lead {
			if want--; want == 0 {
				return a, nil
			}
		}
	}
	return "", fmt.Errorf("no %s", to)
}

func (r *runner) leader() (string, error) {
	for i := 0; i < 100; i++ {
		for _, a := range r.g.addrs {
			resp, err := (&http.Client{Timeout: time.Second}).Get(a + "/pd/api/v1/leader")
			if err != nil {
				continue
			}
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			v, err := decodeJSON(b)
			if err != nil {
				continue
			}
			u := first(get(v, "client_urls"))
			for _, x := range r.g.addrs {
				if x == u {
					return x, nil
				}
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return "", fmt.Errorf("no leader")
}

func (r *runner) expand(raw []byte) []byte {
	if !bytes.Contains(raw, []byte("$")) {
		return raw
	}
	s := strings.ReplaceAll(string(raw), "$CLUSTER", r.cluster)
	for k, v := range r.vars {
		s = strings.ReplaceAll(s, "${"+k+"}", v)
	}
	if strings.Contains(s, "$PD") {
		for i, a := range r.g.addrs {
			s = strings.ReplaceAll(s, fmt.Sprintf("$PD%d", i+1), a)
		}
	}
	for _, role := range []string{"LEADER", "FOLLOWER"} {
		if strings.Contains(s, "$"+role+"_ID") {
			a, err := r.target(strings.ToLower(role))
			if err == nil {
				for i, x := range r.g.addrs {
					if x == a {
						for id, p := range r.ids {
							if p == fmt.Sprintf("<pd%d-id>", i+1) {
								s = strings.ReplaceAll(s, "$"+role+"_ID", id)
							}
						}
					}
				}
			}
		}
		if strings.Contains(s, "$"+role+"_NAME") {
			a, err := r.target(strings.ToLower(role))
			if err == nil {
				for i, x := range r.g.addrs {
					if x == a {
						s = strings.ReplaceAll(s, "$"+role+"_NAME", fmt.Sprintf("pd%d", i+1))
					}
				}
			}
		}
		if strings.Contains(s, "$"+role) {
			if a, err := r.target(strings.ToLower(role)); err == nil {
				s = strings.ReplaceAll(s, "$"+role, a)
			}
		}
	}
	return []byte(s)
}

// fill puts the cluster id into the request header.
func (r *runner) fill(msg string, raw json.RawMessage, noHeader bool) (json.RawMessage, error) {
	raw = r.expand(raw)
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	if noHeader || !hasHeader(msg) {
		return raw, nil
	}
	v, err := decodeJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("request: %w: %s", err, raw)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("request is no object")
	}
	h, ok := m["header"].(map[string]any)
	if !ok {
		h = map[string]any{}
		m["header"] = h
	}
	if _, ok := h["cluster_id"]; !ok {
		h["cluster_id"] = r.cluster
	}
	return marshal(m), nil
}

func expandMap(r *runner, m map[string]string) map[string]string {
	if m == nil {
		return nil
	}
	o := map[string]string{}
	for k, v := range m {
		o[k] = string(r.expand([]byte(v)))
	}
	return o
}

// do runs one step and returns its answer (nil for steps without one).
func (r *runner) do(st *step, line int) (any, error) {
	switch {
	case st.Include != "":
		return nil, r.include(st)
	case st.GRPC != "" || st.HTTP != "":
		once := func() (any, error) { return r.call(st) }
		return r.finish(st, line, once, true)
	case st.StreamRecv != "":
		return r.finish(st, line, func() (any, error) { return r.recv(st) }, false)
	case st.Stream != "" || st.StreamEnd != "":
		return nil, r.send(st)
	case st.WaitHTTP != "" || st.WaitGRPC != "":
		return r.finish(st, line, func() (any, error) { return r.wait(st) }, false)
	case st.Kill != "" || st.Restart != "":
		return nil, r.process(st)
	case st.SleepMS > 0:
		time.Sleep(time.Duration(st.SleepMS) * time.Millisecond)
		return nil, nil
	case st.Note != "":
		return nil, nil
	}
	return nil, fmt.Errorf("step does nothing")
}

func (r *runner) process(st *step) error {
	name := st.Kill
	if name == "" {
		name = st.Restart
	}
	a, err := r.target(name)
	if err != nil {
		return err
	}
	for i, x := range r.g.addrs {
		if x != a {
			continue
		}
		if r.g.procs == nil {
			return fmt.Errorf("kill and restart need --server")
		}
		if r.g.procs[i] != nil {
			_ = r.g.procs[i].Process.Kill()
			_, _ = r.g.procs[i].Process.Wait()
			r.g.procs[i] = nil
		}
		if st.Restart != "" {
			if err := r.g.startOne(i); err != nil {
				return err
			}
			return waitReady([]string{a}, 40*time.Second)
		}
	}
	return nil
}

func (r *runner) include(st *step) error {
	f := filepath.Join(filepath.Dir(r.file), st.Include)
	lines, err := readLines(f)
	if err != nil {
		return err
	}
	for i, raw := range lines {
		s := &step{}
		if err := strict(raw, s); err != nil {
			return fmt.Errorf("%s line %d: %w", st.Include, i+1, err)
		}
		if s.Note != "" && s.GRPC == "" && s.HTTP == "" && s.Stream == "" && s.WaitHTTP == "" {
			continue
		}
		var v any
		switch {
		case s.GRPC != "" || s.HTTP != "":
			v, err = r.call(s)
			if err == nil {
				if c := str(get(v, "code")); c != "" && c != "OK" || get(v, "response", "header", "error") != nil {
					err = fmt.Errorf("%s", marshal(v))
				}
				if c := str(get(v, "status")); c != "" && c != "200" {
					err = fmt.Errorf("%s", marshal(v))
				}
			}
		case s.WaitHTTP != "" || s.WaitGRPC != "":
			v, err = r.wait(s)
			if err == nil && get(v, "reached") != true {
				err = fmt.Errorf("wait: %s", marshal(v))
			}
		default:
			_, err = r.do(s, 0)
		}
		if err != nil {
			return fmt.Errorf("%s line %d: %w", st.Include, i+1, err)
		}
	}
	return nil
}

func (r *runner) call(st *step) (any, error) {
	addr, err := r.target(st.To)
	if err != nil {
		return nil, err
	}
	if st.GRPC != "" {
		m, ok := methods[st.GRPC]
		if !ok {
			return nil, fmt.Errorf("unknown method %s", st.GRPC)
		}
		req, err := r.fill(m.in, st.Request, st.NoHeader)
		if err != nil {
			return nil, err
		}
		cc, err := r.c.get(addr)
		if err != nil {
			return nil, err
		}
		v, err := callUnary(cc, st.GRPC, req, expandMap(r, st.Metadata), 30*time.Second)
		if err != nil {
			return nil, err
		}
		return r.norm(v), nil
	}
	v, err := r.http(addr, st.HTTP, st)
	if err != nil {
		return nil, err
	}
	return r.norm(v), nil
}

var client = &http.Client{
	Timeout:       60 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (r *runner) http(addr, line string, st *step) (any, error) {
	meth, path, ok := strings.Cut(line, " ")
	if !ok {
		return nil, fmt.Errorf("http wants METHOD PATH")
	}
	path = string(r.expand([]byte(path)))
	var body io.Reader
	if st.BodyRaw != nil {
		body = strings.NewReader(string(r.expand([]byte(*st.BodyRaw))))
	} else if len(st.Body) > 0 {
		body = bytes.NewReader(r.expand(st.Body))
	}
	req, err := http.NewRequest(meth, addr+path, body)
	if err != nil {
		return nil, err
	}
	if len(st.Body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range expandMap(r, st.Headers) {
		req.Header.Set(k, v)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	ans := map[string]any{"status": json.Number(strconv.Itoa(resp.StatusCode))}
	hs := map[string]any{}
	for k, v := range resp.Header {
		if k == "Content-Type" || k == "Location" || k == "Allow" || k == "Retry-After" || strings.HasPrefix(k, "Pd-") {
			hs[k] = strings.Join(v, ", ")
		}
	}
	if len(hs) > 0 {
		ans["headers"] = hs
	}
	if v, err := decodeJSON(b); err == nil {
		ans["body"] = v
	} else {
		ans["text"] = string(b)
	}
	return ans, nil
}

func (r *runner) send(st *step) error {
	if st.StreamEnd != "" {
		s := r.streams[st.StreamEnd]
		if s == nil {
			return fmt.Errorf("no stream %s", st.StreamEnd)
		}
		return s.cs.CloseSend()
	}
	s := r.streams[st.ID]
	if s == nil {
		addr, err := r.target(st.To)
		if err != nil {
			return err
		}
		cc, err := r.c.get(addr)
		if err != nil {
			return err
		}
		if s, err = openStream(cc, st.Stream, expandMap(r, st.Metadata)); err != nil {
			return err
		}
		r.streams[st.ID] = s
	}
	if len(st.Send) > 0 {
		raw, err := r.fill(s.m.in, st.Send, st.NoHeader)
		if err != nil {
			return err
		}
		m, err := toMessage(s.m.in, raw)
		if err != nil {
			return err
		}
		if err := s.cs.SendMsg(m); err != nil && err != io.EOF {
			return err
		}
	}
	if s.m.serverS && !s.m.clientS {
		_ = s.cs.CloseSend()
	}
	if !s.started() {
		s.start()
	}
	return nil
}

func (r *runner) recv(st *step) (any, error) {
	s := r.streams[st.StreamRecv]
	if s == nil {
		return nil, fmt.Errorf("no stream %s", st.StreamRecv)
	}
	within := st.WithinMS
	if within == 0 {
		within = 2000
	}
	select {
	case v, ok := <-s.recv:
		if !ok {
			return map[string]any{"closed": "already"}, nil
		}
		if ts, ok := get(v, "received", "timestamp").(map[string]any); ok {
			p, _ := strconv.ParseInt(str(ts["physical"]), 10, 64)
			l, _ := strconv.ParseInt(str(ts["logical"]), 10, 64)
			up := p > r.lastTSO[0] || (p == r.lastTSO[0] && l > r.lastTSO[1])
			r.lastTSO = [2]int64{p, l}
			v.(map[string]any)["tso_increasing"] = up
		}
		return r.norm(v), nil
	case <-time.After(time.Duration(within) * time.Millisecond):
		return map[string]any{"timeout": true}, nil
	}
}

func (r *runner) wait(st *step) (any, error) {
	within := st.WithinMS
	if within == 0 {
		within = 5000
	}
	deadline := time.Now().Add(time.Duration(within) * time.Millisecond)
	for {
		s := &step{To: st.To, HTTP: st.WaitHTTP, GRPC: st.WaitGRPC, Request: st.Request, Metadata: st.Metadata, Headers: st.Headers}
		v, err := r.call(s)
		ok := err == nil
		if ok {
			root := get(v, "body")
			if st.WaitGRPC != "" {
				root = get(v, "response")
			}
			for p, want := range st.Until {
				vals := selectPath(root, p)
				if p == "$status" {
					vals = []any{get(v, "status")}
				}
				if len(vals) == 0 {
					ok = ok && want == nil
				}
				for _, got := range vals {
					ok = ok && equalScalar(want, got)
				}
			}
		}
		if ok {
			return map[string]any{"reached": true}, nil
		}
		if time.Now().After(deadline) {
			a := map[string]any{"reached": false}
			if r.o.mode == "record" {
				fmt.Fprintf(&r.res.log, "  wait not reached: %s last=%s err=%v\n", st.WaitHTTP+st.WaitGRPC, clip(marshal(v), 800), err)
			}
			return a, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func clip(b []byte, n int) string {
	if len(b) > n {
		return string(b[:n]) + "…"
	}
	return string(b)
}

func readOnly(st *step) bool {
	if strings.HasPrefix(st.HTTP, "GET ") {
		return true
	}
	_, m, _ := strings.Cut(st.GRPC, "/")
	for _, p := range []string{"Get", "Scan", "Is", "Load", "BatchScan"} {
		if strings.HasPrefix(m, p) {
			return true
		}
	}
	return false
}

func (r *runner) finish(st *step, line int, once func() (any, error), retry bool) (any, error) {
	ans, err := once()
	if err != nil {
		return nil, err
	}
	if r.o.mode == "record" {
		for name, p := range st.Save {
			root := answerRoot(ans)
			if vals := selectPath(root, p); len(vals) > 0 {
				r.vars[name] = str(vals[0])
			} else {
				return nil, fmt.Errorf("save %s: nothing at %s in %s", name, p, clip(marshal(ans), 300))
			}
		}
		if r.o.verbose {
			fmt.Fprintf(&r.res.log, "  %d %s\n", line, clip(marshal(ans), 300))
		}
		return ans, nil
	}
	if len(st.Answer) == 0 {
		return nil, nil
	}
	want, err := decodeJSON(st.Answer)
	if err != nil {
		return nil, err
	}
	compare := func() []string {
		c := &comparer{
			masks:     append(append([]string{}, r.h.Mask...), st.Mask...),
			unordered: append(append([]string{}, r.h.Unordered...), st.Unordered...),
			olds:      r.olds, vars: r.vars, group: r.h.Members > 1,
		}
		for name, p := range st.Save {
			ow, ol := selectPath(answerRoot(want), p), selectPath(answerRoot(ans), p)
			if len(ow) > 0 && len(ol) > 0 {
				r.vars[name] = str(ol[0])
				r.olds[str(ow[0])] = name
			}
		}
		return c.compare(want, ans)
	}
	diffs := compare()
	if len(diffs) > 0 && retry && (readOnly(st) || st.Eventually > 0) {
		ms := r.o.retryMS
		if st.Eventually > 0 {
			ms = st.Eventually
		}
		deadline := time.Now().Add(time.Duration(ms) * time.Millisecond)
		for len(diffs) > 0 && time.Now().Before(deadline) {
			time.Sleep(80 * time.Millisecond)
			if again, err := once(); err == nil {
				ans = again
				diffs = compare()
			}
		}
	}
	if len(diffs) == 0 {
		r.res.passed++
		if r.o.verbose {
			fmt.Fprintf(&r.res.log, "  ok   line %d %s\n", line, title(st))
		}
		return nil, nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "  FAIL line %d %s\n", line, title(st))
	for i, d := range diffs {
		if i == r.o.maxDiffs {
			fmt.Fprintf(&text, "       … %d more\n", len(diffs)-i)
			break
		}
		fmt.Fprintf(&text, "       %s\n", d)
	}
	r.fail(line, feature(st), text.String())
	return nil, nil
}

func title(st *step) string {
	switch {
	case st.GRPC != "":
		return "grpc " + st.GRPC
	case st.HTTP != "":
		return "http " + st.HTTP
	case st.StreamRecv != "":
		return "stream-recv " + st.StreamRecv
	}
	return "wait " + st.WaitHTTP + st.WaitGRPC
}

func answerRoot(ans any) any {
	for _, k := range []string{"response", "body", "received"} {
		if v := get(ans, k); v != nil {
			return v
		}
	}
	return ans
}
