package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

func ours(t *testing.T) *protoregistry.Files {
	file := os.Getenv("GOLDEN_PROTO")
	if file == "" {
		t.Fatal("GOLDEN_PROTO names no descriptor set: start it by run.sh wire")
	}
	files, err := readDescriptors(file)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Whatever the published kvproto module knows of a message, an enum or a method of ours must be the same in ours: a
// wrong number would otherwise be wrong on both sides of every recorded conversation.
func TestWireAgrees(t *testing.T) {
	seen := 0
	ours(t).RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := 0; i < f.Messages().Len(); i++ {
			seen += compareMessages(t, f.Messages().Get(i))
		}
		for i := 0; i < f.Enums().Len(); i++ {
			compareEnums(t, f.Enums().Get(i))
		}
		for i := 0; i < f.Services().Len(); i++ {
			compareServices(t, f.Services().Get(i))
		}
		return true
	})
	if seen < 100 {
		t.Errorf("only %d messages are known to both", seen)
	}
}

func theirs(name protoreflect.FullName) protoreflect.Descriptor {
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return nil
	}
	return d
}

func kindOf(f protoreflect.FieldDescriptor) string {
	s := f.Cardinality().String() + " " + f.Kind().String()
	if f.Message() != nil && !f.IsMap() {
		s += " " + string(f.Message().FullName())
	}
	if f.Enum() != nil {
		s += " " + string(f.Enum().FullName())
	}
	return s
}

func compareMessages(t *testing.T, our protoreflect.MessageDescriptor) int {
	d, ok := theirs(our.FullName()).(protoreflect.MessageDescriptor)
	if !ok {
		return 0
	}
	for i := 0; i < d.Fields().Len(); i++ {
		want := d.Fields().Get(i)
		got := our.Fields().ByNumber(want.Number())
		switch {
		case got == nil:
			t.Errorf("%s lacks field %d %s", our.FullName(), want.Number(), want.Name())
		case got.Name() != want.Name() || kindOf(got) != kindOf(want):
			t.Errorf("%s field %d: %s %s, kvproto has %s %s", our.FullName(), want.Number(), got.Name(), kindOf(got), want.Name(), kindOf(want))
		}
	}
	for i := 0; i < our.Messages().Len(); i++ {
		compareMessages(t, our.Messages().Get(i))
	}
	for i := 0; i < our.Enums().Len(); i++ {
		compareEnums(t, our.Enums().Get(i))
	}
	return 1
}

func compareEnums(t *testing.T, our protoreflect.EnumDescriptor) {
	d, ok := theirs(our.FullName()).(protoreflect.EnumDescriptor)
	if !ok {
		return
	}
	for i := 0; i < d.Values().Len(); i++ {
		want := d.Values().Get(i)
		if got := our.Values().ByName(want.Name()); got == nil || got.Number() != want.Number() {
			t.Errorf("%s lacks %s = %d", our.FullName(), want.Name(), want.Number())
		}
	}
}

func compareServices(t *testing.T, our protoreflect.ServiceDescriptor) {
	d, ok := theirs(our.FullName()).(protoreflect.ServiceDescriptor)
	if !ok {
		return
	}
	for i := 0; i < d.Methods().Len(); i++ {
		want := d.Methods().Get(i)
		got := our.Methods().ByName(want.Name())
		if got == nil {
			t.Errorf("%s lacks method %s", our.FullName(), want.Name())
			continue
		}
		if got.Input().FullName() != want.Input().FullName() || got.Output().FullName() != want.Output().FullName() ||
			got.IsStreamingClient() != want.IsStreamingClient() || got.IsStreamingServer() != want.IsStreamingServer() {
			t.Errorf("%s/%s has other types than kvproto's", our.FullName(), want.Name())
		}
	}
}

var (
	quotedRE      = regexp.MustCompile(`"(<[a-z0-9-]+>|\$\{[a-z0-9]+\}|\$[A-Z_0-9]+)"`)
	placeholderRE = regexp.MustCompile(`<[a-z0-9-]+>|\$\{[a-z0-9]+\}|\$[A-Z_0-9]+`)
)

// Every recorded message can be read with our descriptors, so no answer can differ for want of a field.
func TestRecordingsParse(t *testing.T) {
	ours(t)
	if err := loadDescriptors(os.Getenv("GOLDEN_PROTO")); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("../*.jsonl")
	fixtures, _ := filepath.Glob("../fixtures/*.jsonl")
	for _, f := range append(files, fixtures...) {
		if filepath.Base(f) == "pdctl.jsonl" {
			continue
		}
		lines, err := readLines(f)
		if err != nil {
			t.Fatal(err)
		}
		streams := map[string]string{}
		for i, l := range lines {
			parseStep(t, filepath.Base(f), i+1, l, streams)
		}
	}
}

func parseStep(t *testing.T, file string, line int, raw json.RawMessage, streams map[string]string) {
	s := &step{}
	if strict(raw, s) != nil {
		return // The header.
	}
	full := s.GRPC + s.WaitGRPC + s.Stream + streams[s.StreamRecv]
	if s.Stream != "" {
		streams[s.ID] = s.Stream
	}
	if full == "" {
		return
	}
	m, ok := methods[full]
	if !ok {
		t.Errorf("%s:%d: no method %s", file, line, full)
		return
	}
	var answer struct{ Response, Received json.RawMessage }
	if len(s.Answer) > 0 {
		_ = json.Unmarshal(s.Answer, &answer)
	}
	for _, part := range []struct {
		message string
		raw     json.RawMessage
	}{{m.in, s.Request}, {m.in, s.Send}, {m.out, answer.Response}, {m.out, answer.Received}} {
		if len(part.raw) == 0 {
			continue
		}
		part.raw = json.RawMessage(strings.ReplaceAll(string(part.raw), ":null", ":{}"))
		text := placeholderRE.ReplaceAllString(quotedRE.ReplaceAllString(string(part.raw), `"7"`), "7")
		if _, err := toMessage(part.message, json.RawMessage(text)); err != nil {
			t.Errorf("%s:%d: %v", file, line, err)
		}
	}
}
