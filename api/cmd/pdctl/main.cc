#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "api/cmd/pdctl/program.h"

namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool StandardInputIsCharacterDevice() {
  struct stat status {};
  return fstat(STDIN_FILENO, &status) != 0 || S_ISCHR(status.st_mode);
}

// `echo "store 1" | pd-ctl`: what is piped in are more words of the command.
void AppendPipedWords(std::vector<std::string>& words) {
  std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const char* blank = " \t\r\n";
  const size_t first = text.find_first_not_of(blank);
  if (first == std::string::npos) return;
  text = text.substr(first, text.find_last_not_of(blank) - first + 1);
  for (size_t from = 0; from <= text.size();) {
    const size_t at = std::min(text.find(' ', from), text.size());
    words.push_back(text.substr(from, at - from));
    from = at + 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  bool interactive = false;
  for (const std::string& word : words)
    interactive = interactive || word == "-i" || word == "--interact";
  if (!interactive && !StandardInputIsCharacterDevice()) AppendPipedWords(words);
  try {
    return api::pdctl::RunProgram(words, {.pd_address = Variable("PD_ADDR"),
                                          .ca_path = Variable("CA_PATH"),
                                          .certificate_path = Variable("CERT_PATH"),
                                          .key_path = Variable("KEY_PATH"),
                                          .in = std::cin,
                                          .out = std::cout,
                                          .err = std::cerr,
                                          .terminal = isatty(STDIN_FILENO) == 1});
  } catch (const std::exception& error) {
    std::cerr << "pd-ctl: " << error.what() << '\n';
    return 1;
  }
}
