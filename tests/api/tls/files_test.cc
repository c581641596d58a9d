#include "api/tls/files.h"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/harness/certificates.h"
#include "tests/pd/temporary_folder.h"

namespace api {
namespace {

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("what is wrong with a file names it") {
  const pd::test::TemporaryFolder folder;
  const std::string& in = folder.path();
  const harness::TestAuthority authority(in, "ca");
  const harness::Issued good = authority.Issue("good", "pd");
  const harness::Issued other = authority.Issue("other", "pd");
  std::ofstream(in + "/text.pem") << "no certificate\n";
  std::ofstream(in + "/empty.pem");
  std::ofstream(in + "/both.pem") << Contents(good.key) << Contents(good.certificate);
  harness::WriteLockedKey(in + "/locked.pem");
  struct Row {
    TlsFiles files;
    std::string error;
  };
  const std::string ca = authority.file();
  const std::vector<Row> rows = {
      {{}, ""},
      {{ca, "", ""}, ""},
      {{"", good.certificate, good.key}, ""},
      {{ca, good.certificate, good.key}, ""},
      {{"", in + "/both.pem", in + "/both.pem"}, ""},
      {{in + "/none.pem", good.certificate, good.key},
       "cannot read CA file " + in + "/none.pem: No such file or directory"},
      {{in + "/text.pem", "", ""},
       "CA file " + in + "/text.pem holds no certificate in PEM format"},
      {{in, "", ""}, "cannot read CA file " + in + ": Is a directory"},
      {{ca, good.certificate, ""},
       "certificate file " + good.certificate + " is given without its key"},
      {{ca, "", good.key}, "key file " + good.key + " is given without its certificate"},
      {{ca, in + "/none.pem", good.key},
       "cannot read certificate file " + in + "/none.pem: No such file or directory"},
      {{ca, good.key, good.key},
       "certificate file " + good.key + " holds no certificate in PEM format"},
      {{ca, good.certificate, in + "/none.pem"},
       "cannot read key file " + in + "/none.pem: No such file or directory"},
      {{ca, good.certificate, in + "/empty.pem"},
       "key file " + in + "/empty.pem holds no private key in PEM format"},
      {{ca, good.certificate, good.certificate},
       "key file " + good.certificate + " holds no private key in PEM format"},
      {{ca, good.certificate, in + "/locked.pem"},
       "key file " + in + "/locked.pem has a password, which is not supported"},
      {{ca, good.certificate, other.key},
       "key file " + other.key + " does not belong to certificate file " + good.certificate},
  };
  for (const Row& row : rows) {
    const auto checked = CheckTlsFiles(row.files);
    CHECK((checked ? "" : checked.error().context) == row.error);
    if (!checked) CHECK(checked.error().code == pd::ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace api
