import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringTokenizer;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import javax.xml.parsers.SAXParserFactory;
import org.xml.sax.Attributes;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;

/**
 * What ELAN does with an extension of the kind "local", as its sources say: it looks for .cmdi files, starts the program,
 * reads its lines, and loads its results. tests/support/elan_host.py runs it; every line of output is a record, its fields
 * separated by tabs.
 *
 * <pre>
 * menu EXTENSIONS                     what ELAN's menu would hold
 * run EXTENSIONS INFO VALUES CANCEL   start the entry INFO; VALUES: a file of lines "parameter TAB value"; CANCEL: after
 *                                     the first line that contains this, or - for never
 * tiers FILE, tracks FILE             load a result file
 * picture HTML WIDTH PNG              show a help page
 * </pre>
 */
public class ElanHost {
    static PrintStream out;

    public static void main(String[] words) throws Exception {
        out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);
        switch (words[0]) {
            case "menu" -> {
                for (Entry entry : menu(new File(words[1])).values()) {
                    entry.print();
                }
            }
            case "run" -> run(menu(new File(words[1])).get(words[2]), values(words[3]), words[4]);
            case "tiers" -> loadTiers(new File(words[1]));
            case "tracks" -> loadTracks(new File(words[1]));
            case "picture" -> picture(words[1], Integer.parseInt(words[2]), words[3]);
            default -> throw new IllegalArgumentException(words[0]);
        }
        out.flush();
        System.exit(0);
    }

    static void record(Object... fields) {
        StringBuilder line = new StringBuilder();
        for (Object field : fields) {
            String text = String.valueOf(field).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n");
            line.append(line.length() > 0 ? "\t" : "").append(text);
        }
        out.println(line);
    }

    // ---------------------------------------------------------------- the menu

    static class Parameter {
        String kind, id, info, level, type;
        boolean optional;
        float least, most, standard;
        float current = Float.MIN_VALUE; // of numbers, until somebody sets it
        String text; // of the others
        List<String> choices = List.of();
    }

    static class Entry {
        File folder;
        String info, id, command, kind, help, icon;
        List<Parameter> parameters = new ArrayList<>();
        List<File> libraries = new ArrayList<>();

        void print() {
            record("ENTRY", info, id, command, folder, help, icon);
            for (Parameter p : parameters) {
                record("PARAMETER", p.kind, p.id, p.level, p.type, p.optional, p.info, p.choices, p.least, p.most, p.standard, p.text);
            }
            for (File library : libraries) {
                record("LIBRARY", library);
            }
        }
    }

    /** Return info → entry: of two with the same info, the last one. Files and entries that ELAN would not take are named. */
    static Map<String, Entry> menu(File extensions) throws Exception {
        Map<String, Entry> found = new TreeMap<>();
        File[] folders = extensions.listFiles();
        Arrays.sort(folders);
        for (File folder : folders) {
            if (!folder.isDirectory()) {
                continue;
            }
            for (File file : folder.listFiles()) {
                if (file.getName().toLowerCase().endsWith(".cmdi") && !file.getName().startsWith(".")) {
                    Entry entry = new Cmdi(folder).read(file);
                    if (entry == null) {
                        record("REFUSED", file);
                        continue;
                    }
                    addLibraries(folder, entry.libraries);
                    found.put(entry.info, entry);
                }
            }
        }
        return found;
    }

    static void addLibraries(File folder, List<File> libraries) {
        for (File file : folder.listFiles()) {
            if (file.isDirectory()) {
                addLibraries(file, libraries);
            } else if (file.getName().toLowerCase().matches(".*(jar|zip|dll|so|jnilib)")) {
                libraries.add(file);
            }
        }
    }

    static class Cmdi extends DefaultHandler {
        static final List<String> TYPES =
            List.of("audio", "video", "tier", "multitier", "csvtier", "timeseries", "csvtimeseries", "auxiliary");
        Entry entry = new Entry();
        boolean isRecognizer;
        StringBuilder content = new StringBuilder();
        Parameter current;

        Cmdi(File folder) {
            entry.folder = folder;
        }

        Entry read(File file) throws Exception {
            parse(file, this);
            entry.parameters.removeIf(p -> p.info == null);
            entry.parameters.removeIf(p -> p.kind.equals("numparam") && !(p.least < p.most));
            entry.parameters.removeIf(p -> p.kind.endsWith("put") && !TYPES.contains(p.type));
            boolean taken = isRecognizer && "local".equals(entry.kind) && entry.command != null && entry.info != null;
            return taken ? entry : null;
        }

        @Override
        public void startElement(String uri, String name, String qName, Attributes attributes) {
            switch (name) {
                case "RECOGNIZER" -> isRecognizer = true;
                case "recognizer" -> {
                    entry.kind = attributes.getValue("recognizerType");
                    entry.info = attributes.getValue("info");
                    String system = System.getProperty("os.name").toLowerCase();
                    String run = system.contains("win") ? "runWin" : system.contains("mac") ? "runMac" : "runLinux";
                    entry.command = attributes.getValue(run);
                }
                case "documentation" -> entry.icon = attributes.getValue("icon16");
                case "numparam", "textparam", "input", "output" -> {
                    current = new Parameter();
                    current.kind = name;
                    current.info = attributes.getValue("info");
                    current.level = attributes.getValue("level");
                    current.type = attributes.getValue("type");
                    current.optional = Boolean.parseBoolean(attributes.getValue("optional"));
                    if (name.equals("numparam")) {
                        current.least = number(attributes.getValue("min"), 0f);
                        current.most = number(attributes.getValue("max"), 100f);
                        current.standard = number(attributes.getValue("default"), 50f);
                    } else if (name.equals("textparam")) {
                        current.text = attributes.getValue("default");
                        current.choices = split(attributes.getValue("convoc"));
                    }
                    entry.parameters.add(current);
                }
                default -> { }
            }
        }

        static float number(String text, float otherwise) {
            try {
                return text == null ? 0f : Float.parseFloat(text);
            } catch (NumberFormatException e) {
                return otherwise;
            }
        }

        @Override
        public void characters(char[] text, int start, int length) {
            content.append(text, start, length);
        }

        @Override
        public void endElement(String uri, String name, String qName) {
            String text = content.toString().trim();
            content.setLength(0);
            switch (name) {
                case "recognizer" -> entry.id = text;
                case "documentation" -> entry.help = text;
                case "numparam", "textparam", "input", "output" -> current.id = text;
                default -> { }
            }
        }
    }

    static void parse(File file, DefaultHandler handler) throws Exception {
        SAXParserFactory factory = SAXParserFactory.newInstance();
        factory.setNamespaceAware(true);
        try (FileInputStream stream = new FileInputStream(file)) {
            factory.newSAXParser().parse(stream, handler);
        }
    }

    static List<String> split(String text) {
        List<String> words = new ArrayList<>();
        for (StringTokenizer tokens = new StringTokenizer(text == null ? "" : text); tokens.hasMoreTokens(); ) {
            words.add(tokens.nextToken());
        }
        return words;
    }

    // ---------------------------------------------------------------- the run

    static Map<String, String> values(String file) throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        for (String line : Files.readAllLines(Path.of(file))) {
            String[] pair = line.split("\t", 2);
            values.put(pair[0], pair[1]);
        }
        return values;
    }

    /**
     * Start an entry as the button Start does. A value "@FILE" of a tier stands for its annotations, lines of
     * "start_ms TAB end_ms TAB text" in FILE. A number "unset" is one that no panel has set.
     */
    static void run(Entry entry, Map<String, String> values, String cancel) throws Exception {
        File media = values.containsKey("source") ? new File(values.get("source")) : null;
        for (Parameter p : entry.parameters) {
            String value = values.getOrDefault(p.id, "");
            if (p.kind.equals("numparam")) {
                p.current = value.equals("unset") ? p.current : value.isEmpty() ? p.standard : Float.parseFloat(value);
            } else if (p.kind.equals("textparam")) {
                p.text = values.containsKey(p.id) ? value : p.text;
            } else if (value.startsWith("@")) {
                p.text = writeTier(p.id, Path.of(value.substring(1))).getPath();
            } else if (p.kind.equals("output") && !p.optional && value.isEmpty()) {
                String stem = media.getName().replaceFirst("[.][^.]*$", "");
                p.text = File.createTempFile(stem + "_" + p.id, ".xml", media.getParentFile()).getPath();
                record("MADE", p.id, p.text);
            } else {
                p.text = value;
                if (p.kind.equals("output") && !p.optional && !new File(value).exists()) {
                    new File(value).createNewFile();
                }
            }
        }
        long started = System.currentTimeMillis() / 1000 * 1000; // some systems keep whole seconds of files' times
        ProcessBuilder builder = new ProcessBuilder(split(entry.command));
        builder.redirectErrorStream(true);
        builder.directory(entry.folder);
        builder.environment().clear(); // as on a desktop
        builder.environment().putAll(Map.of("PATH", "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL", "C", "HOME", "/nonexistent"));
        long begin = System.nanoTime();
        Process process = builder.start();
        record("PROCESS", process.pid());
        BufferedReader reader = new BufferedReader(new InputStreamReader(process.getInputStream()));
        writeParameters(entry, new PrintWriter(new BufferedWriter(new OutputStreamWriter(process.getOutputStream())), true));
        String result = listen(reader, process, begin, cancel);
        long end = System.nanoTime();
        boolean ended = process.waitFor(20, TimeUnit.SECONDS);
        record("ENDED", ended ? process.exitValue() : "still running", (System.nanoTime() - end) / 1_000_000);
        record("RESULT", result);
        checkOutput(entry, started);
    }

    static File writeTier(String id, Path spans) throws IOException {
        File file = File.createTempFile(id, ".xml");
        try (PrintWriter writer = new PrintWriter(file, StandardCharsets.UTF_8)) {
            writer.println("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
            writer.print("<TIER xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ");
            writer.print("xsi:noNamespaceSchemaLocation=\"file:avatech-tier.xsd\" ");
            writer.println("columns=\"tier_1\">");
            for (String line : Files.readAllLines(spans)) {
                String[] span = line.split("\t", 3);
                writer.print("\t<span start=\"" + seconds(span[0]) + "\" end=\"" + seconds(span[1]) + "\">");
                writer.println("<v>" + span[2] + "</v></span>"); // not escaped
            }
            writer.println("</TIER>");
        }
        return file;
    }

    static String seconds(String ms) {
        return String.format(Locale.ROOT, "%d.%03d", Long.parseLong(ms) / 1000, Long.parseLong(ms) % 1000);
    }

    static void writeParameters(Entry entry, PrintWriter writer) {
        writer.println("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        writer.println("<PARAM xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:noNamespaceSchemaLocation=\"file:avatech-call.xsd\">");
        writer.println("<param name=\"InvocationContext\">" + entry.id + " 2026-11-24 14:23:09+0100</param>");
        for (Parameter p : entry.parameters) {
            writer.print("<param name=\"" + p.id + "\">");
            if (p.kind.equals("numparam")) {
                writer.print(p.current);
            } else if (p.text != null) {
                String path = p.text.startsWith("file:") ? p.text.substring(5) : p.text;
                writer.print(path.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;"));
            }
            writer.println("</param>");
        }
        writer.println("</PARAM>");
        writer.close();
    }

    static String listen(BufferedReader reader, Process process, long begin, String cancel) throws IOException {
        float last = -1f;
        while (true) {
            String line = reader.readLine();
            if (line == null) {
                return "unexpected end";
            }
            record("LINE", (System.nanoTime() - begin) / 1_000_000, line);
            if (line.contains(cancel) && !cancel.equals("-")) {
                process.destroy();
                return "cancelled";
            }
            if (line.equals("RESULT: DONE.")) {
                return "done";
            } else if (line.equals("RESULT: FAILED.")) {
                return "failed";
            } else if (line.startsWith("PROGRESS:") || line.startsWith("INFO: PROGRESS:")) {
                String rest = line.substring(line.indexOf(':') + 1).trim();
                int space = rest.indexOf(' ');
                String number = space > -1 ? rest.substring(0, space) : rest;
                float share = -1f;
                try {
                    share = number.endsWith("%") ? Float.parseFloat(number.replace("%", "")) / 100 : Float.parseFloat(number);
                } catch (NumberFormatException e) {
                    // as if none were given
                }
                last = Math.max(last, share);
                record("BAR", (int) (100 * last), space > -1 ? rest.substring(space).trim() : "");
                if ((int) (100 * last) >= 100) {
                    return "done"; // the bar is full
                }
            } else if (line.equals("0")) {
                return "done";
            } else if (line.equals("\u0004")) {
                return "failed";
            }
        }
    }

    static void checkOutput(Entry entry, long started) throws Exception {
        for (Parameter p : entry.parameters) {
            if (!p.kind.equals("output") || p.text == null || p.text.isEmpty()) {
                continue;
            }
            File file = new File(p.text);
            if (!file.exists() || !file.canRead() || file.lastModified() < started) {
                record("NOTHING", p.id);
            } else if (p.type.equals("tier")) {
                loadTiers(file);
            } else if (p.type.equals("timeseries")) {
                loadTracks(file);
            }
        }
    }

    // ---------------------------------------------------------------- the results

    static long time(String text) {
        try {
            return text.indexOf('.') > -1 ? (long) (1000 * Float.parseFloat(text)) : Long.parseLong(text);
        } catch (NumberFormatException | NullPointerException e) {
            return -1L;
        }
    }

    /** Collects the texts of the elements v that a span or a point of time has. */
    abstract static class Values extends DefaultHandler {
        final List<String> values = new ArrayList<>();
        private String content = "";

        abstract void ended(String name);

        @Override
        public void characters(char[] text, int begin, int length) {
            content += new String(text, begin, length);
        }

        @Override
        public void endElement(String uri, String name, String qName) {
            if (name.equals("v")) {
                values.add(content.trim());
                content = "";
            } else {
                ended(name);
            }
        }
    }

    static void loadTiers(File file) throws Exception {
        List<String> names = new ArrayList<>();
        List<List<Object[]>> spans = new ArrayList<>();
        Values handler = new Values() {
            boolean many;
            long start, end;

            @Override
            public void startElement(String uri, String name, String qName, Attributes attributes) throws SAXException {
                if (name.equals("TIERS")) {
                    many = true;
                } else if (name.equals("TIER")) {
                    List<String> columns = split(attributes.getValue("columns"));
                    if (columns.isEmpty()) {
                        throw new SAXException("No tiernames found");
                    }
                    for (String column : columns) {
                        names.add(column.startsWith("#") ? column.substring(1) : column);
                        spans.add(new ArrayList<>());
                    }
                } else if (name.equals("span")) {
                    start = time(attributes.getValue("start"));
                    end = time(attributes.getValue("end"));
                    values.clear();
                }
            }

            @Override
            void ended(String name) {
                if (name.equals("span") && start > -1 && end > -1) {
                    for (int i = 0; i < values.size(); i++) {
                        int at = many ? names.size() - values.size() + i : i;
                        if (at < names.size()) {
                            spans.get(at).add(new Object[] {start, end, values.get(i)});
                        }
                    }
                }
            }
        };
        try {
            parse(file, handler);
            if (names.isEmpty()) {
                throw new SAXException("No tiers found in the TIER file");
            }
        } catch (SAXException error) {
            record("ERROR", file, error.getMessage());
            return;
        }
        for (int i = 0; i < names.size(); i++) {
            record("TIER", names.get(i));
            for (Object[] span : spans.get(i)) {
                record("SPAN", names.get(i), span[0], span[1], span[2]);
            }
        }
    }

    static void loadTracks(File file) throws Exception {
        List<String> names = new ArrayList<>();
        Values handler = new Values() {
            long time;
            boolean[] broken;

            @Override
            public void startElement(String uri, String name, String qName, Attributes attributes) throws SAXException {
                if (name.equals("TIMESERIES")) {
                    String columns = attributes.getValue("columns");
                    if (columns == null || columns.isEmpty()) {
                        throw new SAXException("No timeseries columns found");
                    }
                    names.addAll(Arrays.asList(columns.split(" ")));
                    names.forEach(column -> record("TRACK", column));
                    broken = new boolean[names.size()];
                } else if (name.equals("i")) {
                    time = time(attributes.getValue("t"));
                    values.clear();
                }
            }

            @Override
            void ended(String name) {
                if (name.equals("i") && time > -1) {
                    for (int i = 0; i < values.size() && i < names.size(); i++) {
                        float value;
                        try {
                            value = Float.parseFloat(values.get(i));
                        } catch (NumberFormatException e) {
                            value = Float.NaN;
                        }
                        if (!Float.isNaN(value)) {
                            record("POINT", names.get(i), time, value, broken[i] ? "start" : "on");
                        }
                        broken[i] = Float.isNaN(value);
                    }
                }
            }
        };
        try {
            parse(file, handler);
        } catch (SAXException error) {
            record("ERROR", file, error.getMessage());
        }
    }

    // ---------------------------------------------------------------- the help page

    static void picture(String html, int width, String png) throws Exception {
        javax.swing.JEditorPane pane = new javax.swing.JEditorPane();
        pane.setEditable(false);
        javax.swing.text.html.HTMLEditorKit kit = new javax.swing.text.html.HTMLEditorKit() {
            @Override
            public javax.swing.text.Document createDefaultDocument() {
                javax.swing.text.html.HTMLDocument document = (javax.swing.text.html.HTMLDocument) super.createDefaultDocument();
                document.setAsynchronousLoadPriority(-1);
                return document;
            }
        };
        pane.setEditorKitForContentType("text/html", kit);
        pane.setPage(new File(html).toURI().toURL());
        pane.setSize(width, 10);
        pane.setSize(width, pane.getPreferredSize().height);
        BufferedImage image = new BufferedImage(width, pane.getHeight(), BufferedImage.TYPE_INT_RGB);
        pane.print(image.createGraphics());
        javax.imageio.ImageIO.write(image, "png", new File(png));
        record("TEXT", pane.getDocument().getText(0, pane.getDocument().getLength()));
    }
}
