-- Each subgraph has a database of its own, called techpotli_<name>.
GRANT ALL PRIVILEGES ON `techpotli\_%`.* TO 'techpotli'@'%';
